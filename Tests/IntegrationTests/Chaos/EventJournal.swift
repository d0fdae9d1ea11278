import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import NIOConcurrencyHelpers

/// The platform's durable consumer: acknowledges an event once it is stored, and comes back whenever it was cut off.
final class EventJournal: Sendable {
    struct Entry: Sendable {
        let id: String
        let outcome: String
        let effect: String
        let category: String?
        let deliveries: Int
    }

    private struct State {
        var entries: [String: [Entry]] = [:]
        var problems: [String] = []
        var last = ContinuousClock.now
    }

    private let link: BrokerLink
    private let queue: AMQPQueue
    private let scene: Scene
    private let state = NIOLockedValueBox(State())

    init(_ link: BrokerLink, _ scene: Scene) {
        self.link = link
        self.scene = scene
        queue = AMQPQueue("chaos.events.\(scene.application)", arguments: ["x-queue-type": "quorum"])
    }

    /// By the correlation ID of their commands.
    var entries: [String: [Entry]] { state.withLockedValue { $0.entries } }

    /// How many commands have their event.
    var count: Int { state.withLockedValue { $0.entries.count } }

    /// What was wrong with an event by itself.
    var problems: [String] { state.withLockedValue { $0.problems } }

    /// Since when nothing has come.
    var last: ContinuousClock.Instant { state.withLockedValue { $0.last } }

    func declare() async throws {
        try await link.run { connection in
            let channel = try await connection.openChannel()
            try await channel.declare(queue)
            for key in scene.applications.map({ "*.*.\($0)" }) + ["*.rejected.#"] {
                try await channel.bind(AMQPBinding(queue: queue.name, exchange: Topology.Name.events, routingKey: key))
            }
        }
    }

    func remove() async throws {
        try await link.run { try await $0.openChannel().deleteQueue(queue.name) }
    }

    /// Until cancelled.
    func run() async throws {
        try await link.run { connection in
            let channel = try await connection.openChannel()
            try await channel.setPrefetch(500)
            for try await batch in try await channel.consume(queue.name).deliveries {
                for delivery in batch {
                    store(delivery)
                    delivery.ack()
                }
            }
        }
    }

    private func store(_ delivery: AMQPDelivery) {
        guard case .complete(let body) = delivery.body, let event = try? JSONParser.parse(body),
            let id = event["id"]?.string, let data = event["data"], let outcome = data["outcome"]?.string,
            let correlationID = delivery.properties.correlationID
        else { return note(problem: "an event that cannot be read: \(delivery)") }
        if let secret = scene.secret(in: String(decoding: body, as: UTF8.self)) {
            note(problem: "the event \(id) shows a secret (\(secret))")
        }
        if delivery.properties.messageID != id { note(problem: "the event \(id) is not named by its message_id") }
        let entry = Entry(
            id: id,
            outcome: outcome,
            effect: data["effect"]?.string ?? "",
            category: data["error"]?["category"]?.string,
            deliveries: data["deliveries"]?.int ?? 0
        )
        state.withLockedValue { state in
            state.entries[correlationID, default: []].append(entry)
            state.last = .now
        }
    }

    private func note(problem: String) { state.withLockedValue { $0.problems.append(problem) } }
}
