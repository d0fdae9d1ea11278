import AMQP
import ConsentWorker
import JSON

extension BulkInput {
    private static let members: Set<String> = [
        "contract", "command", "commandId", "partnerTenantId", "customerId", "applicationId", "applicationGrants",
        "displayName", "query", "customerTenantId", "issuedAt", "deadline", "dryRun", "requestedBy",
    ]

    /// A command's body a line, as far as it is not the command line's.
    mutating func readJSONLines(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) else { continue }
            readLine(Array(line), index + 1)
        }
    }

    private mutating func readLine(_ bytes: [UInt8], _ line: Int) {
        func fault(_ reason: String) -> LineFault { LineFault(line: line, reason: reason) }
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            faults.append(fault("not JSON: \(error)"))
            return
        }
        guard let object = value.object else {
            faults.append(fault("must be an object, not \(value.typeName)"))
            return
        }
        // Not a member of the body, but known together with it.
        let correlationID = object["correlationId"]
        if let correlationID, !(1...255).contains(correlationID.string?.utf8.count ?? 0) {
            faults.append(fault("/correlationId: must be a string of 1 to 255 bytes"))
        }
        for member in object.members where member.name != "correlationId" && !Self.members.contains(member.name) {
            let name = Printable.text(member.name)
            if !ignored.contains(name) { ignored.append(name) }
        }
        let members = object.members.filter { $0.name != "correlationId" }
        rows.append(BulkRow(line: line, members: JSONObject(members: members), correlationID: correlationID?.string))
    }
}
