import AMQP
import ConsentContract
import ConsentWorker
import Resilience

/// A private queue bound to the events exchange, for as long as the connection lasts.
struct EventSubscription {
    private let consumer: AMQPConsumer

    /// Everything that commands of one kind and application can end in.
    init(_ connection: AMQPConnection, of kind: CommandKind, _ application: GUID) async throws(AMQPError) {
        try await self.init(
            connection,
            routingKeys: ["\(kind.rawValue).*.\(application)", "*.rejected.*"]
        )
    }

    init(_ connection: AMQPConnection, routingKeys: [String]) async throws(AMQPError) {
        let channel = try await connection.openChannel()
        let queue = try await channel.declare(.privateQueue).name
        for key in routingKeys {
            try await channel.bind(AMQPBinding(queue: queue, exchange: Topology.Name.events, routingKey: key))
        }
        consumer = try await channel.consume(queue)
    }

    /// Hands every event to `body`, until it returns false.
    func forEach(_ body: (ReceivedEvent) -> Bool) async throws {
        for try await batch in consumer.deliveries {
            for delivery in batch {
                delivery.ack()
                if let event = ReceivedEvent(delivery), !body(event) { return }
            }
        }
    }

    /// The first event that fits, nil if none came in time.
    func first(
        within timeout: Duration,
        where fits: @escaping @Sendable (ReceivedEvent) -> Bool
    ) async throws -> ReceivedEvent? {
        try await withThrowingTaskGroup(of: ReceivedEvent?.self) { group in
            group.addTask {
                var found: ReceivedEvent?
                try await forEach { event in
                    if fits(event) { found = event }
                    return found == nil
                }
                return found
            }
            group.addTask {
                try await SystemClock().sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
