import AMQP
import Foundation
import RateLimiting

/// A key of its own on a broker, pods that share it, and a look from outside.
struct PermitScene: Sendable {
    let broker: PrivateBroker
    let key: String
    let queues: PermitQueues
    let sends = SendRecord()

    init(_ broker: PrivateBroker) {
        self.broker = broker
        key = "test.\(UUID().uuidString.lowercased())"
        queues = PermitQueues(key: key)
    }

    static func shared() throws -> PermitScene {
        guard let broker = PrivateBroker.shared else { throw TestFailure("outside the integration suite") }
        return PermitScene(broker)
    }

    func pod(
        _ limit: RateLimit,
        strict: Bool = false,
        version: Int64 = 1,
        isCensusLeader: Bool = false
    ) -> PermitPod {
        PermitPod(broker, key: key, limit: limit, strict: strict, version: version, isCensusLeader: isCensusLeader)
    }

    /// Runs pods while `body` does.
    func run<Value: Sendable>(
        _ pods: [PermitPod],
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let running = pods.map { pod in Task { try await pod.run() } }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        for task in running { task.cancel() }
        for task in running { _ = await task.result }
        return try result.get()
    }

    /// Sends as fast as the limiters let while `body` runs.
    func saturating(
        _ limiters: [any RateLimiter],
        waiters: Int = 3,
        _ body: () async throws -> Void
    ) async throws {
        let load = Task { await sends.saturate(limiters, waiters: waiters) }
        defer { load.cancel() }
        try await body()
        load.cancel()
        await load.value
    }

    /// Returns once so many more have been sent.
    func whenSent(_ more: Int, within limit: Duration = .seconds(20)) async throws {
        let goal = sends.count + more
        _ = try await eventually("\(goal) sends, now \(sends.count)", within: limit) {
            sends.count >= goal ? true : nil
        }
    }

    struct Count: Sendable, Hashable {
        var permits: Int
        var resting: Int
        var consumers: Int

        var all: Int { permits + resting }
    }

    func count() async throws -> Count {
        try await broker.connect { connection in
            let channel = try await connection.openChannel()
            let permits = try await channel.declare(AMQPQueue(queues.permits, passive: true))
            let resting = try await channel.declare(AMQPQueue(queues.resting, passive: true))
            return Count(permits: permits.messages, resting: resting.messages, consumers: permits.consumers)
        }
    }

    /// Returns once nobody holds anything and there are that many permits.
    func whenWhole(_ permits: Int, within limit: Duration = .seconds(10)) async throws {
        _ = try await eventually("\(permits) permits and no consumer, now \(try await count())", within: limit) {
            let count = try await count()
            return count.consumers == 0 && count.all == permits ? true : nil
        }
    }

    /// Returns once a permit is with somebody and there is a consumer for the next.
    func whenHeld() async throws {
        _ = try await eventually("a permit is held") {
            let count = try await count()
            return count.consumers == 1 && count.all == 0 ? true : nil
        }
    }

    func marker() async throws -> PermitMarker {
        try await broker.connect { connection in
            let channel = try await connection.openChannel()
            return try await eventually("the marker is there") {
                guard let delivery = try await channel.get(queues.seeded) else { return nil }
                delivery.reject(requeue: true)
                guard case .complete(let body) = delivery.body else { return nil }
                return PermitMarker(body)
            }
        }
    }

    /// Puts messages into the queue of the permits.
    func publish(_ bodies: [[UInt8]]) async throws {
        try await broker.connect { connection in
            let channel = try await connection.openChannel()
            try await channel.selectConfirms()
            for body in bodies {
                _ = try await channel.publish(AMQPMessage(exchange: "", routingKey: queues.permits, body: body))
            }
        }
    }

    /// Takes permits out of their queue, and does with them what `body` does.
    func take(_ count: Int, _ body: (AMQPConnection, [AMQPDelivery]) async throws -> Void) async throws {
        try await broker.connect { connection in
            let channel = try await connection.openChannel()
            var taken: [AMQPDelivery] = []
            while taken.count < count {
                taken.append(try await eventually("a permit is ready") { try await channel.get(queues.permits) })
            }
            try await body(connection, taken)
        }
    }
}
