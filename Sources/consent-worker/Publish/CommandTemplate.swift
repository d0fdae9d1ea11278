import AMQP
import ConsentContract
import ConsentWorker
import JSON

/// What the command line says of a command. What a row of a file says itself comes first.
struct CommandTemplate {
    let kind: CommandKind
    /// The body's members, but for the command's ID and its time.
    let members: [(name: String, value: JSONValue)]
    /// nil: the command's ID.
    let correlationID: String?

    /// The body of a command: the row's own members, completed.
    func body(_ row: JSONObject, commandID: GUID, issuedAt: Timestamp) -> [UInt8] {
        var body = row
        let own = [("commandId", JSONValue.string("\(commandID)")), ("issuedAt", .string("\(issuedAt)"))]
        for (name, value) in members + own where row[name] == nil { body.append(name, value) }
        return JSONValue.object(body).bytes
    }

    /// The command, ready to be published.
    func message(
        _ row: JSONObject,
        to address: (application: GUID, customer: GUID),
        commandID: GUID,
        correlationID own: String? = nil,
        issuedAt: Timestamp
    ) -> AMQPMessage {
        var properties = AMQPProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 2
        properties.correlationID = own ?? correlationID ?? commandID.description
        properties.messageID = commandID.description
        return AMQPMessage(
            exchange: Topology.Name.commands,
            routingKey: "\(address.application).\(address.customer)",
            properties: properties,
            body: body(row, commandID: commandID, issuedAt: issuedAt)
        )
    }
}

/// `resource=scope,scope`, as the command line and a file's column `grants` have it.
enum GrantText {
    static func parse(_ text: some StringProtocol) -> JSONValue? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return ["enterpriseApplicationId": .string(String(parts[0])), "scope": .string(String(parts[1]))]
    }
}
