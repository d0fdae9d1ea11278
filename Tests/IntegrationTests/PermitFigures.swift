import Foundation
import NIOConcurrencyHelpers
import RateLimiting
import Resilience
import Testing

extension IntegrationTests {
    /// Prints what the limiters cost at half load: `CONSENT_FIGURES=1 swift test --filter PermitFigures`.
    @Suite(.timeLimit(.minutes(3)), .enabled(if: ProcessInfo.processInfo.environment["CONSENT_FIGURES"] != nil))
    struct PermitFigures {
        private static let seconds = 20.0
        private static let rate = 25.0

        @Test func latencyAndBrokerTimeAtHalfLoad() async throws {
            let scene = try PermitScene.shared()
            print("figures: limiter, pods, commands, p50 ms, p99 ms, max ms, broker µs a permit (above idle)")
            let idle = try await brokerTime(scene.broker) { try await Task.sleep(for: .seconds(12)) } / 12
            print("figures: idle broker: \(idle / 10_000) % of a core")
            try await measure("owner's log", [SendLogLimiter(limit: RateLimit(requests: 50))], scene, idle)
            for count in [1, 4] {
                let scene = PermitScene(scene.broker)
                let pods = (0..<count).map { _ in
                    PermitPod(scene.broker, key: scene.key, limit: RateLimit(requests: 50), timings: PermitTimings())
                }
                try await scene.run(pods) {
                    for pod in pods { try await pod.whenServing() }
                    _ = try await eventually("all permits are ready") {
                        try await scene.count().permits == 50 ? true : nil
                    }
                    try await measure("permits", pods.map(\.limiter), scene, idle)
                    let counts = pods.map(\.limiter.counts)
                    print("figures: used \(counts.map(\.used)), unused \(counts.map(\.unused))")
                }
            }
        }

        /// Commands come at random times, evenly over the limiters.
        private func measure(
            _ name: String,
            _ limiters: [any RateLimiter],
            _ scene: PermitScene,
            _ idle: Double
        ) async throws {
            let waits = NIOLockedValueBox<[Double]>([])
            let started = ContinuousClock.now
            let used = try await brokerTime(scene.broker) {
                try await withThrowingDiscardingTaskGroup { group in
                    var due = started
                    while due - started < .seconds(Self.seconds) {
                        let limiter = limiters[Int.random(in: 0..<limiters.count)]
                        group.addTask {
                            let asked = ContinuousClock.now
                            let permit = try await limiter.acquire()
                            waits.withLockedValue { $0.append((ContinuousClock.now - asked) / .milliseconds(1)) }
                            _ = permit.use()
                            permit.sent()
                            permit.finish()
                        }
                        due += .seconds(-log(Double.random(in: 0.0001..<1)) / Self.rate)
                        try await Task.sleep(until: due, clock: .continuous)
                    }
                }
            }
            let sorted = waits.withLockedValue { $0.sorted() }
            func quantile(_ share: Double) -> String {
                String(format: "%.2f", sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)])
            }
            let elapsed = (ContinuousClock.now - started) / .seconds(1)
            let each = Int((used - idle * elapsed) / Double(sorted.count))
            print(
                "figures: \(name), \(limiters.count), \(sorted.count), \(quantile(0.5)), \(quantile(0.99)), \(quantile(1)), \(each)"
            )
        }

        /// Microseconds of processor time that the broker takes meanwhile.
        private func brokerTime(_ broker: PrivateBroker, _ body: () async throws -> Void) async throws -> Double {
            let before = try ticks(broker)
            try await body()
            return Double(try ticks(broker) - before) * 1e6 / Double(sysconf(Int32(_SC_CLK_TCK)))
        }

        private func ticks(_ broker: PrivateBroker) throws -> Int {
            func read(_ path: String) -> String {
                String(decoding: (try? FileHandle(forReadingAtPath: path)?.readToEnd()) ?? Data(), as: UTF8.self)
            }
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(name) != nil {
                guard read("/proc/\(name)/cmdline").contains("beam.smp"),
                    read("/proc/\(name)/environ").contains("RABBITMQ_NODE_PORT=\(broker.port)\0")
                else { continue }
                let stat = read("/proc/\(name)/stat")
                let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
                return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
            }
            throw TestFailure("the broker's process was not found")
        }
    }
}
