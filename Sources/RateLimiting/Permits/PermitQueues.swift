import AMQP

/// The queues of one limit key. Neither the number of permits nor their rest is in a name: two sets of queues would
/// be two limits.
package struct PermitQueues: Sendable, Hashable {
    /// Permits ready for use.
    package let permits: String
    /// Permits after their use.
    package let resting: String
    /// The ``PermitMarker``.
    package let seeded: String
    /// Exclusive to who seeds, while it does.
    package let lock: String

    package init(key: String) {
        permits = "consent.permits.\(key)"
        resting = permits + ".resting"
        seeded = permits + ".seeded"
        lock = permits + ".lock"
    }

    /// In the order in which they are declared.
    func declarations(_ terms: PermitTerms) -> [AMQPQueue] {
        [
            AMQPQueue(
                resting,
                arguments: [
                    "x-queue-type": "classic", "x-message-ttl": .int(Int64(terms.restMilliseconds)),
                    "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(permits),
                ]
            ),
            AMQPQueue(
                permits,
                arguments: [
                    "x-queue-type": "classic", "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": .string(resting),
                ]
            ),
            AMQPQueue(seeded, arguments: ["x-queue-type": "classic"]),
        ]
    }

    var lockDeclaration: AMQPQueue {
        AMQPQueue(lock, durable: false, exclusive: true, arguments: ["x-queue-type": "classic"])
    }

    /// A transient message: gone after a restart of the broker, on purpose. No permit that survived one is trusted.
    func message(_ body: [UInt8], to queue: String) -> AMQPMessage {
        var properties = AMQPProperties()
        properties.deliveryMode = 1
        return AMQPMessage(exchange: "", routingKey: queue, properties: properties, body: body)
    }
}
