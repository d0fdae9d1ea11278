import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// Prints what tracing costs: `CONSENT_FIGURES=1 swift test --filter TracingFigures`.
    @Suite(.timeLimit(.minutes(10)), .enabled(if: ProcessInfo.processInfo.environment["CONSENT_FIGURES"] != nil))
    struct TracingFigures {
        private static let commands = 5000

        private struct Figure {
            let seconds: Double
            let processorSeconds: Double
        }

        @Test func commandsWithAndWithoutTracing() async throws {
            var figures: (off: [Figure], on: [Figure]) = ([], [])
            for round in 0...3 {
                let off = try await run(isTracing: false)
                let on = try await run(isTracing: true)
                // The first warms the machine up.
                guard round > 0 else { continue }
                figures.off.append(off)
                figures.on.append(on)
            }
            func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
            for (name, value) in [("seconds", \Figure.seconds), ("processor seconds", \Figure.processorSeconds)] {
                let (off, on) = (figures.off.map { $0[keyPath: value] }, figures.on.map { $0[keyPath: value] })
                let ratio = median(zip(off, on).map { $1 / $0 })
                print("figures: \(name) of \(Self.commands) commands: off \(off), on \(on), ratio \(rounded(ratio))")
            }
        }

        /// All commands wait when the worker comes; a sink that decodes nothing takes the spans.
        private func run(isTracing: Bool) async throws -> Figure {
            var figure: Figure?
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                let collector = try await CollectorProcess(scene, mode: .sink)
                let tracing = isTracing ? ["tracing: {endpoint: \"\(collector.url)\"}"] : []
                try scene.configure(application: ["limits: none"], top: tracing + ["log: {level: info}"])
                try await scene.declareTopology()
                try await Platform.run(scene, validating: false) { platform in
                    try await platform.publishAll(
                        (1...Self.commands).map { number in
                            (platform.command("grant", customer: Platform.customer(number)), "command-\(number)")
                        }
                    )
                    let worker = try await scene.startWorker(waitUntilReady: false)
                    _ = try await eventually("the first command ends") { platform.events.first }
                    let (started, before) = (ContinuousClock.now, try worker.processorSeconds())
                    _ = try await eventually("all commands end", every: .milliseconds(5)) {
                        platform.events.count == Self.commands ? true : nil
                    }
                    let seconds = (ContinuousClock.now - started) / .seconds(1)
                    // What is left to export is part of the price.
                    try await Task.sleep(for: .seconds(2))
                    figure = Figure(
                        seconds: rounded(seconds),
                        processorSeconds: rounded(try worker.processorSeconds() - before)
                    )
                    await worker.stop()
                    print("figures: log lines at info: \(worker.log.split(separator: "\n").count)")
                    if worker.log.contains("spans") { throw TestFailure("spans were dropped: \(worker.log)") }
                }
                await collector.stop()
            }
            return try #require(figure)
        }
    }
}
