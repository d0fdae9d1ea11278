import AMQP
import EventLoop
import Foundation
import Logging
import NIOConcurrencyHelpers
import RateLimiting
import Resilience

/// What a pod has of the permits: a limiter, and a connection that comes back when it is lost.
final class PermitPod: Sendable {
    let limiter: PermitLimiter
    private let broker: PrivateBroker
    private let connection = NIOLockedValueBox<AMQPConnection?>(nil)
    private let seedingConnection = NIOLockedValueBox<AMQPConnection?>(nil)

    init(
        _ broker: PrivateBroker,
        key: String,
        limit: RateLimit,
        strict: Bool = false,
        version: Int64 = 1,
        timings: PermitTimings = .test,
        isCensusLeader: Bool = false
    ) {
        self.broker = broker
        limiter = PermitLimiter(
            key: key,
            limit: limit,
            strict: strict,
            version: version,
            maxHeld: 10,
            timings: timings,
            isCensusLeader: { isCensusLeader },
            logger: .silent
        )
    }

    /// Serves until cancelled.
    func run() async throws {
        let connector = try connector("work")
        try await connector.run { connection in
            self.connection.withLockedValue { $0 = connection }
            try await self.limiter.run(on: connection) {
                let seeding = try await self.connector("seeding").connect(on: EventLoop(name: "seeding"))
                self.seedingConnection.withLockedValue { $0 = seeding }
                return seeding
            }
        }
    }

    /// The connection that it seeded over last.
    var seeding: AMQPConnection? { seedingConnection.withLockedValue { $0 } }

    private func connector(_ name: String) throws -> AMQPConnector {
        AMQPConnector(
            name: name,
            endpoints: [try AMQPEndpoint(uri: broker.url)],
            options: AMQPOptions(),
            logger: .silent
        )
    }

    /// As a lost network would, without a goodbye.
    func loseConnection() async {
        await connection.withLockedValue { $0 }?.abort()
    }

    func whenServing() async throws {
        _ = try await eventually("permits flow: \(limiter.standing ?? "")", within: .seconds(20)) {
            limiter.standing == nil ? true : nil
        }
    }
}

extension PermitTimings {
    static var test: PermitTimings {
        var timings = PermitTimings()
        timings.holding = .milliseconds(250)
        timings.proof = .milliseconds(50)
        timings.idle = .milliseconds(150)
        timings.grace = .milliseconds(20)
        timings.census = .milliseconds(200)
        return timings
    }
}

/// The requests of all pods, as an API would see them.
final class SendRecord: Sendable {
    private struct Send {
        let before: ContinuousClock.Instant
        let after: ContinuousClock.Instant
    }

    private let sends = NIOLockedValueBox<[Send]>([])

    var count: Int { sends.withLockedValue { $0.count } }

    /// Sends one request as soon as the limiter lets it.
    func send(_ limiter: any RateLimiter) async throws {
        while true {
            let permit = try await limiter.acquire()
            defer { permit.finish() }
            let before = ContinuousClock.now
            guard permit.use() else { continue }
            let send = Send(before: before, after: .now)
            permit.sent()
            sends.withLockedValue { $0.append(send) }
            return
        }
    }

    /// Sends as fast as the limiters let, until cancelled.
    func saturate(_ limiters: [any RateLimiter], waiters: Int = 3) async {
        await withDiscardingTaskGroup { group in
            for limiter in limiters {
                for _ in 0..<waiters {
                    group.addTask { while (try? await self.send(limiter)) != nil {} }
                }
            }
        }
    }

    /// The shortest time in which more were sent than `requests`.
    ///
    /// A permit rests from after its use on, so with `isExact` even who is suspended in the middle of a use counts at
    /// the worst possible moment; else at the best.
    func shortestExcess(_ requests: Int, isExact: Bool, from first: Int = 0) -> Duration {
        let sends = sends.withLockedValue { $0 }.dropFirst(first)
        let starts = sends.map { isExact ? $0.after : $0.before }.sorted()
        let ends = sends.map { isExact ? $0.before : $0.after }.sorted()
        return zip(starts, ends.dropFirst(requests)).map { $1 - $0 }.min() ?? .seconds(1000)
    }

    /// Sends per second in the best stretch of so many, once the first `skipped` were over.
    func rate(over count: Int, after skipped: Int) -> Double {
        let times = sends.withLockedValue { $0.map(\.after).sorted() }.dropFirst(skipped)
        let best = zip(times, times.dropFirst(count)).map { $1 - $0 }.min() ?? .seconds(1000)
        return Double(count) / (best / .seconds(1))
    }

    var last: ContinuousClock.Instant? { sends.withLockedValue { $0.map(\.after).max() } }
}
