import AMQP
import ConsentWorker
import JSON
import NIOConcurrencyHelpers

/// A platform's own durable queue of all events, read by the user who is for that.
final class EventReader: Sendable {
    static let queue = "platform.events"

    private let received = NIOLockedValueBox<[JSONValue]>([])
    private let reading: Task<Void, any Error>

    init(_ connection: AMQPConnection) async throws {
        let channel = try await connection.openChannel()
        try await channel.declare(AMQPQueue(Self.queue, arguments: ["x-queue-type": "quorum"]))
        try await channel.bind(AMQPBinding(queue: Self.queue, exchange: Topology.Name.events, routingKey: "#"))
        let consumer = try await channel.consume(Self.queue)
        reading = Task { [received] in
            for try await batch in consumer.deliveries {
                for delivery in batch {
                    delivery.ack()
                    guard case .complete(let body) = delivery.body, let event = try? JSONParser.parse(body) else {
                        continue
                    }
                    received.withLockedValue { $0.append(event) }
                }
            }
        }
    }

    deinit { reading.cancel() }

    func outcomes(_ correlationID: String) -> [String] {
        received.withLockedValue { $0 }.map { $0["data"] ?? .null }
            .filter { $0["correlationId"]?.string == correlationID }.compactMap { $0["outcome"]?.string }
    }

    func wait(for outcomes: [String], of correlationID: String) async throws {
        _ = try await eventually("\(correlationID) ends in \(outcomes)") {
            self.outcomes(correlationID) == outcomes ? true : nil
        }
    }
}
