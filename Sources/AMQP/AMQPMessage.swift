/// The properties of a message that this package reads or writes.
package struct AMQPProperties: Sendable, Hashable {
    package var contentType: String?
    package var headers: AMQPTable = [:]
    /// 1 transient, 2 persistent.
    package var deliveryMode: UInt8?
    package var correlationID: String?
    package var replyTo: String?
    package var messageID: String?
    /// Seconds since 1970.
    package var timestamp: UInt64?
    package var type: String?

    package init() {}
}

/// A message to publish, with its address.
package struct AMQPMessage: Sendable, Hashable {
    package var exchange: String
    package var routingKey: String
    /// Returned by the broker if no queue takes it.
    package var mandatory: Bool
    package var properties: AMQPProperties
    package var body: [UInt8]

    package init(
        exchange: String,
        routingKey: String,
        mandatory: Bool = true,
        properties: AMQPProperties = AMQPProperties(),
        body: [UInt8]
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.mandatory = mandatory
        self.properties = properties
        self.body = body
    }
}

/// A message that came, to be settled on the channel it came on.
package struct AMQPDelivery: Sendable {
    package enum Body: Sendable, Hashable {
        case complete([UInt8])
        /// Announced larger than the channel reads; discarded frame by frame.
        case tooLarge(bytes: UInt64)
    }

    package let channel: AMQPChannel
    package let tag: UInt64
    package let redelivered: Bool
    package let exchange: String
    package let routingKey: String
    package let properties: AMQPProperties
    package let body: Body

    /// Enough to settle the message later, without holding on to what it carries.
    package var withoutContent: AMQPDelivery {
        AMQPDelivery(
            channel: channel,
            tag: tag,
            redelivered: redelivered,
            exchange: exchange,
            routingKey: routingKey,
            properties: AMQPProperties(),
            body: .complete([])
        )
    }

    /// Takes the message off the queue. Queued for the connection's thread; without effect once the channel is
    /// gone, because the broker has given the message back then.
    package func ack() { channel.ack(tag) }

    /// Gives the message up (`requeue` false) or back (true).
    package func reject(requeue: Bool) { channel.reject(tag, requeue: requeue) }
}
