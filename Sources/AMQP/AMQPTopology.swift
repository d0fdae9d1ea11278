/// A queue to declare.
package struct AMQPQueue: Sendable, Hashable {
    package var name: String
    package var durable: Bool
    package var exclusive: Bool
    package var autoDelete: Bool
    /// Only asks whether it exists; the other options are then ignored by the broker.
    package var passive: Bool
    package var arguments: AMQPTable

    package init(
        _ name: String,
        durable: Bool = true,
        exclusive: Bool = false,
        autoDelete: Bool = false,
        passive: Bool = false,
        arguments: AMQPTable = [:]
    ) {
        self.name = name
        self.durable = durable
        self.exclusive = exclusive
        self.autoDelete = autoDelete
        self.passive = passive
        self.arguments = arguments
    }

    /// A queue for this connection alone, with a name of the broker's choice.
    package static let privateQueue = AMQPQueue("", durable: false, exclusive: true, autoDelete: true)
}

/// A durable exchange to declare.
package struct AMQPExchange: Sendable, Hashable {
    package var name: String
    /// `topic`, `fanout`, `direct` or `headers`.
    package var type: String
    /// Only asks whether it exists.
    package var passive = false
    package var arguments: AMQPTable

    package init(_ name: String, type: String, arguments: AMQPTable = [:]) {
        self.name = name
        self.type = type
        self.arguments = arguments
    }
}

/// What a queue wants from an exchange.
package struct AMQPBinding: Sendable, Hashable {
    package var queue: String
    package var exchange: String
    package var routingKey: String

    package init(queue: String, exchange: String, routingKey: String) {
        self.queue = queue
        self.exchange = exchange
        self.routingKey = routingKey
    }
}

/// What the broker says of a queue it declared.
package struct AMQPQueueStatus: Sendable, Hashable {
    package let name: String
    /// Ready messages; those delivered and not settled are not counted.
    package let messages: Int
    package let consumers: Int
}
