import AMQP
import ConsentContract

/// A command that was rejected or failed, as it is kept for a person to look at and replay.
struct DeadLetter: Sendable {
    /// What is added to the publisher's headers.
    enum Header {
        static let category = "consent-category"
        static let time = "consent-time"
        static let attempts = "consent-attempts"
        static let status = "consent-status"
        static let source = "consent-source"
        static let message = "consent-message"
        static let code = "consent-code"
        static let description = "consent-description"
        static let command = "consent-command"
        static let commandID = "consent-command-id"
        static let partner = "consent-partner"
        static let customer = "consent-customer"
        static let application = "consent-application"
        static let exchange = "consent-exchange"
        static let routingKey = "consent-routing-key"
        static let bodyBytes = "consent-body-bytes"
        static let headersDropped = "consent-headers-dropped"
    }

    let received: ReceivedMessage
    let error: CommandError
    let attempts: Int
    let time: Timestamp

    private static let maximumHeaderBytes = 64 << 10
    /// Of a text about the error, in Unicode scalars: what Microsoft says is cut to this already.
    private static let maximumText = 1024

    /// The publisher's message with our headers about its end.
    var message: AMQPMessage {
        let delivery = received.delivery
        var properties = delivery.properties
        properties.deliveryMode = 2
        properties.headers = publishersHeaders
        if received.generation > 0 {
            properties.headers[ReceivedMessage.generationHeader] = .int(Int64(received.generation))
        }
        properties.headers[Header.exchange] = .string(delivery.exchange)
        properties.headers[Header.routingKey] = .string(delivery.routingKey)
        let body: [UInt8]
        switch delivery.body {
        case .complete(let bytes): body = bytes
        case .tooLarge(let bytes):
            // Never assembled: what is kept is that it was there, and how large.
            body = []
            properties.headers[Header.bodyBytes] = .int(Int64(clamping: bytes))
        }
        describe(Rejection.Readable(body: body), in: &properties.headers)
        describeError(in: &properties.headers)
        return AMQPMessage(
            exchange: Topology.Name.deadLetters,
            routingKey: error.category.rawValue,
            properties: properties,
            body: body
        )
    }

    /// Without the broker's death headers, which would make it take a replay for a cycle and drop it, and without
    /// what looks like ours: the dead letters' tool believes those.
    private var publishersHeaders: AMQPTable {
        let headers = received.delivery.properties.headers.filter {
            !$0.key.hasPrefix("x-") && !$0.key.hasPrefix("consent-")
        }
        guard headers.approximateBytes > Self.maximumHeaderBytes else { return headers }
        // Headers travel in one frame; with ours they would no longer fit.
        var kept: AMQPTable = [Header.headersDropped: true]
        for (name, value) in received.delivery.properties.traceContext?.fields ?? [:] { kept[name] = .string(value) }
        return kept
    }

    /// What people search by, so that a search reads no bodies.
    private func describe(_ command: Rejection.Readable, in headers: inout AMQPTable) {
        headers[Header.command] = (command.kind?.rawValue).map { .string($0) }
        for (name, id) in [
            (Header.commandID, command.commandID), (Header.partner, command.partnerTenantID),
            (Header.customer, command.customerID), (Header.application, command.applicationID),
        ] {
            headers[name] = id.map { .string($0.description) }
        }
    }

    private func describeError(in headers: inout AMQPTable) {
        headers[Header.category] = .string(error.category.rawValue)
        headers[Header.time] = .string(time.description)
        headers[Header.attempts] = .int(Int64(attempts))
        headers[Header.status] = error.status.map { .int(Int64($0)) }
        headers[Header.source] = .string(error.source.rawValue)
        headers[Header.message] = .string(Self.cut(error.message))
        headers[Header.code] = error.code.map { .string(Self.cut($0)) }
        headers[Header.description] = error.description.map { .string(Self.cut($0)) }
    }

    private static func cut(_ text: String) -> String { String(text.unicodeScalars.prefix(maximumText)) }
}
