import AMQP
import ConsentContract

/// A command that was rejected or failed, as it is kept for a person to look at and replay.
struct DeadLetter: Sendable {
    let received: ReceivedMessage
    let error: CommandError
    let attempts: Int
    let time: Timestamp

    private static let maximumHeaderBytes = 64 << 10

    /// The publisher's message with our headers about its end. The broker's own death headers are left out: it would
    /// take a replay of them for a cycle and drop it.
    var message: AMQPMessage {
        let delivery = received.delivery
        var properties = delivery.properties
        properties.deliveryMode = 2
        properties.headers = properties.headers.filter { !$0.key.hasPrefix("x-") }
        if properties.headers.approximateBytes > Self.maximumHeaderBytes {
            // Headers travel in one frame; with ours they would no longer fit.
            properties.headers = ["consent-headers-dropped": true]
        }
        properties.headers["consent-category"] = .string(error.category.rawValue)
        properties.headers["consent-time"] = .string(time.description)
        properties.headers["consent-attempts"] = .int(Int64(attempts))
        properties.headers["consent-exchange"] = .string(delivery.exchange)
        properties.headers["consent-routing-key"] = .string(delivery.routingKey)
        if let status = error.status { properties.headers["consent-status"] = .int(Int64(status)) }
        let body: [UInt8]
        switch delivery.body {
        case .complete(let bytes): body = bytes
        case .tooLarge(let bytes):
            // Never assembled: what is kept is that it was there, and how large.
            body = []
            properties.headers["consent-body-bytes"] = .int(Int64(clamping: bytes))
        }
        return AMQPMessage(
            exchange: Topology.Name.deadLetters,
            routingKey: error.category.rawValue,
            properties: properties,
            body: body
        )
    }
}
