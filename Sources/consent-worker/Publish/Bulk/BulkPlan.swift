import AMQP
import ConsentContract
import JSON

/// The commands of an input, all of them checked.
struct BulkPlan {
    struct Item {
        let row: BulkRow
        /// nil: made from the run's ID.
        let commandID: GUID?
        let application: GUID
        let customer: GUID
        let isDryRun: Bool

        var line: Int { row.line }
    }

    let template: CommandTemplate
    private(set) var items: [Item] = []
    private(set) var faults: [LineFault] = []
    /// Tells this input, with these options, from any other.
    private(set) var fingerprint = Identifiers.namespace

    private var lineOfCommand: [GUID: Int] = [:]
    private var lineOfCustomer: [[GUID?]: Int] = [:]

    private static let anyID = GUID(constant: "00000000-0000-4000-8000-000000000000")
    private static let anyTime = Timestamp(milliseconds: 0)

    init(_ input: BulkInput, _ template: CommandTemplate) {
        self.template = template
        faults = input.faults
        for row in input.rows { add(row) }
    }

    private mutating func add(_ row: BulkRow) {
        let body = template.body(row.members, commandID: Self.anyID, issuedAt: Self.anyTime)
        fingerprint = fingerprint.derived(
            from: body + Array("\(row.line) \(row.correlationID ?? template.correlationID ?? "")".utf8)
        )
        // First, as the options' members would seem wrong in it.
        if let kind = row.members["command"]?.string.flatMap(CommandKind.init(rawValue:)), kind != template.kind {
            let reason = "/command: is \(kind.rawValue); this publishes \(template.kind.rawValue) commands"
            faults.append(LineFault(line: row.line, reason: reason))
            return
        }
        let readable: Rejection.Readable
        do throws(Rejection) {
            let command = try CommandDecoder.decode(body)
            readable = Rejection.Readable(command)
            items.append(
                Item(
                    row: row,
                    commandID: row.members["commandId"] == nil ? nil : command.commandID,
                    application: command.applicationID,
                    customer: command.customerID,
                    isDryRun: command.dryRun
                )
            )
        } catch {
            readable = error.readable
            faults += error.faults.map { fault in
                let member = fault.pointer.description.split(separator: "/").first.map(String.init)
                return LineFault(
                    line: row.line,
                    reason: "\(fault.pointer): \(fault.reason)",
                    absentMember: member.map { row.members[$0] == nil } ?? false
                )
            }
        }
        for reason in repetitions(readable, row) { faults.append(LineFault(line: row.line, reason: reason)) }
    }

    /// What a row says that another has said before.
    private mutating func repetitions(_ readable: Rejection.Readable, _ row: BulkRow) -> [String] {
        var reasons: [String] = []
        if row.members["commandId"] != nil, let commandID = readable.commandID {
            if let line = lineOfCommand[commandID] { reasons.append("/commandId: is on line \(line) already") }
            lineOfCommand[commandID] = row.line
        }
        // A second grant would end as alreadyGranted, and its scopes would be missing.
        if template.kind != .query, let customer = readable.customerID {
            let key = [readable.partnerTenantID, customer, readable.applicationID]
            if let line = lineOfCustomer[key] { reasons.append("/customerId: is on line \(line) already") }
            lineOfCustomer[key] = row.line
        }
        return reasons
    }

    /// An item's ID in one run: the same after every interruption, another in the next run.
    func commandID(of index: Int, in job: GUID) -> GUID {
        items[index].commandID ?? job.derived(from: "\(items[index].line)".utf8)
    }

    func message(_ index: Int, in job: GUID, at time: Timestamp) -> AMQPMessage {
        let item = items[index]
        return template.message(
            item.row.members,
            to: (item.application, item.customer),
            commandID: commandID(of: index, in: job),
            correlationID: item.row.correlationID,
            issuedAt: time
        )
    }
}
