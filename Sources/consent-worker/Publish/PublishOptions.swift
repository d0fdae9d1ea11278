import AMQP
import ArgumentParser
import ConsentContract
import ConsentWorker
import JSON
import Resilience

/// What every kind of command has in common on the command line.
struct PublishOptions: ParsableArguments {
    @OptionGroup var options: ConfigurationOptions

    @OptionGroup(title: "Many commands")
    var bulk: BulkOptions

    @Option(help: "The partner's tenant ID.")
    var partner: GUID?

    @Option(help: "The customer's ID.")
    var customer: GUID?

    @Option(help: "The application's ID; may be left out where one is configured.")
    var application: GUID?

    @Option(help: "The command's ID; a new one by default. The same ID again is the same command.")
    var commandID: GUID?

    @Option(help: "Echoed in the result event; the command's ID by default.")
    var correlationID: String?

    @Option(help: "RFC 3339 time after which the command is not to be carried out.")
    var deadline: String?

    @Option(help: "Who asked for it, for the record.")
    var requestedBy: String?

    @Flag(help: "Show the requests that would be sent, and send none.")
    var dryRun = false

    @Flag(help: "Wait for the result event and print it.")
    var wait = false

    @Option(
        help: "How many seconds to wait for the event (default: 60); with --from, for the next of them (default: 600)."
    )
    var timeout: Int?

    @Flag(help: "Print the event as JSON; with --from, the summary.")
    var json = false

    func validate() throws {
        if bulk.from == nil {
            guard partner != nil else { throw ValidationError("Name the partner with --partner.") }
            guard customer != nil else {
                throw ValidationError("Name the customer with --customer, or a file of customers with --from.")
            }
        } else if customer != nil || commandID != nil {
            throw ValidationError("--customer and --command-id are of one command; with --from the file says them.")
        }
        guard timeout ?? 1 > 0 else { throw ValidationError("--timeout must be above 0.") }
    }

    /// Publishes one command, or those of a file; `members` are of its kind.
    func publish(_ kind: CommandKind, _ members: [(String, JSONValue)]) async throws {
        let configuration = try options.load()
        let application = application ?? configuration.onlyApplication
        let template = CommandTemplate(
            kind: kind,
            members: common(kind, application) + members,
            correlationID: correlationID
        )
        if let file = bulk.from {
            let publish = BulkPublish(
                options: bulk,
                template: template,
                configuration: configuration,
                isDryRun: dryRun,
                timeout: .seconds(timeout ?? 600),
                asJSON: json
            )
            return try await publish.run(file)
        }
        guard let application else {
            throw ValidationError("Several applications are configured; name one with --application.")
        }
        guard let customer else { throw ValidationError("Name the customer with --customer.") }
        try await publish(template, application, customer, configuration)
    }

    private func publish(
        _ template: CommandTemplate,
        _ application: GUID,
        _ customer: GUID,
        _ configuration: Configuration
    ) async throws {
        let commandID = commandID ?? .random()
        let message = template.message(
            JSONObject(members: [.init(name: "customerId", value: .string(customer.description))]),
            to: (application, customer),
            commandID: commandID,
            issuedAt: SystemWallClock().now
        )
        // What the worker would refuse is said here, before it travels.
        do throws(Rejection) {
            _ = try CommandDecoder.decode(message.body)
        } catch {
            throw ValidationError(error.faults.map { "\($0.pointer): \($0.reason)" }.joined(separator: "\n"))
        }
        let kind = template.kind
        let correlationID = message.properties.correlationID
        try await BrokerSession.run(configuration) { session in
            let events = wait ? try await EventSubscription(session.connection, of: kind, application) : nil
            let channel = try await session.connection.openChannel()
            try await channel.selectConfirms()
            if case .returned(let reason) = try await channel.publish(message) {
                Terminal.complain(
                    "no queue takes the command (\(reason)); start a worker or run declare-topology first"
                )
                throw ExitCode.unreachable
            }
            guard let events else {
                return Terminal.say("Published \(kind.rawValue) \(commandID).")
            }
            let timeout = timeout ?? 60
            try await show(
                events.first(within: .seconds(timeout)) { $0.correlationID == correlationID },
                within: timeout
            )
        }
    }

    private func show(_ event: ReceivedEvent?, within timeout: Int) throws {
        guard let event else {
            Terminal.complain(
                "no event came within \(timeout) s; the command stays in its queue until a worker takes it"
            )
            throw ExitCode.timedOut
        }
        Terminal.say(json ? event.json.text : event.summary)
        if event.outcome != Outcome.succeeded.rawValue { throw ExitCode.outcome }
    }

    /// The members that every kind of command has.
    private func common(_ kind: CommandKind, _ application: GUID?) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [("contract", "1"), ("command", .string(kind.rawValue))]
        if let partner { members.append(("partnerTenantId", .string(partner.description))) }
        if let application { members.append(("applicationId", .string(application.description))) }
        if let deadline { members.append(("deadline", .string(deadline))) }
        if let requestedBy { members.append(("requestedBy", .string(requestedBy))) }
        if dryRun { members.append(("dryRun", true)) }
        return members
    }
}

extension Configuration {
    fileprivate var onlyApplication: GUID? { applications.count == 1 ? applications[0].applicationID : nil }
}

extension GUID: ExpressibleByArgument {
    /// Reads a GUID as the command line gives it.
    public init?(argument: String) { self.init(argument) }
}
