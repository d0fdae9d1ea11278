package import AMQP
package import ConsentContract
package import JSON

/// What is known of a letter in `consent.dead-letters` without holding its content.
package struct KeptLetter: Sendable, Hashable {
    /// A category's name; a newer worker may know more of them.
    package let category: String
    /// When the command ended; nil for what no worker wrote.
    package let time: Timestamp?
    package let attempts: Int?
    package let status: Int?
    package let generation: Int
    package let kind: String?
    package let commandID: GUID?
    package let partner: GUID?
    package let customer: GUID?
    package let application: GUID?
    package let correlationID: String?
    package let bodyBytes: Int
    /// Equal for equal bodies.
    package let fingerprint: GUID

    package init(properties: AMQPProperties, body: AMQPDelivery.Body) {
        let headers = properties.headers
        func id(_ name: String) -> GUID? { headers[name]?.string.flatMap { GUID($0) } }
        func number(_ name: String) -> Int? { headers[name]?.int.flatMap { Int(exactly: $0) } }
        category = headers[DeadLetter.Header.category]?.string ?? "unknown"
        time = headers[DeadLetter.Header.time]?.string.flatMap { Timestamp($0) }
        attempts = number(DeadLetter.Header.attempts)
        status = number(DeadLetter.Header.status)
        generation = max(0, number(ReceivedMessage.generationHeader) ?? 0)
        correlationID = properties.correlationID
        switch body {
        case .complete(let bytes):
            bodyBytes = number(DeadLetter.Header.bodyBytes) ?? bytes.count
            fingerprint = Identifiers.namespace.derived(from: bytes)
        case .tooLarge(let bytes):
            bodyBytes = Int(clamping: bytes)
            fingerprint = .random()
        }
        var written = Rejection.Readable()
        written.kind = headers[DeadLetter.Header.command]?.string.flatMap { CommandKind(rawValue: $0) }
        written.commandID = id(DeadLetter.Header.commandID)
        written.partnerTenantID = id(DeadLetter.Header.partner)
        written.customerID = id(DeadLetter.Header.customer)
        written.applicationID = id(DeadLetter.Header.application)
        // Letters of the first workers say nothing of this in their headers.
        if written == Rejection.Readable(), case .complete(let bytes) = body, !bytes.isEmpty {
            written = Rejection.Readable(body: bytes)
        }
        kind = written.kind?.rawValue
        commandID = written.commandID
        partner = written.partnerTenantID
        customer = written.customerID
        application = written.applicationID
    }

    package func age(at now: Timestamp) -> Duration? { time.map { now - $0 } }

    package var json: JSONValue {
        [
            "category": .string(category), "time": JSONValue(time?.description), "attempts": JSONValue(attempts),
            "status": JSONValue(status), "generation": JSONValue(generation), "command": JSONValue(kind),
            "commandId": JSONValue(commandID?.description), "partnerTenantId": JSONValue(partner?.description),
            "customerId": JSONValue(customer?.description), "applicationId": JSONValue(application?.description),
            "correlationId": JSONValue(correlationID), "bodyBytes": JSONValue(bodyBytes),
        ]
    }
}
