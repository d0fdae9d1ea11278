import ConsentWorker
import Foundation
import JSON
import Testing

extension EnduranceTests {
    /// Whatever the other end of the broker's connection sends: the worker neither ends nor grows, says what is wrong
    /// and works again once the broker is one.
    @Suite(.timeLimit(.minutes(10)))
    struct HostileBrokerTests {
        /// What the log says of them; of the others it says that the connection was lost, and the C library why.
        private static let words = [
            "silence": "timed out", "web-server": "login", "other-version": "login", "drip": "timed out",
            "login-refused": "refused the login", "unopened-channel": "channel 1999, which is not open",
            "many-channels": "channel 2, which is not open", "unknown-method": "unknown AMQP method",
            "method-inside-content": "a method came inside a message",
            "content-without-method": "a content header came without its method",
            "body-without-header": "a body frame came without its header",
            "body-too-long": "a body is longer than its header says",
            "more-than-prefetch": "delivers more than the prefetch",
            "confirm-of-nothing": "confirmed a message that was never published",
            "answer-to-nothing": "answered a request that was never made",
            "close-with-hostile-text": "the broker closed the connection:",
            "channel-close-with-hostile-text": "the broker closed the channel:",
            "blocked-without-end": "the broker takes no messages for now",
        ]

        /// One of each kind, none that takes its time.
        private static let brief = [
            "start-without-method", "login-refused", "tune-frames-of-16", "oversized-frame", "unopened-channel",
            "method-inside-content", "content-of-another-class", "nested-headers", "64-mib-body", "more-than-prefetch",
            "close-with-hostile-text",
        ]

        @Test func theWorkerOutlivesEveryScenarioAndWorksAgainBehindAnHonestBroker() async throws {
            try await Scene.run { scene in
                try await HostileBroker.run(scene, seed: 1) { broker in
                    try scene.configure(amqp: "amqp: {url: \"\(broker.url)\", heartbeat: 2s}")
                    try await scene.withWorker { worker in
                        try await Platform.run(scene) { platform in
                            try await Self.playAll(broker, worker, platform)
                        }
                    }
                }
            }
        }

        private static func playAll(
            _ broker: HostileBroker,
            _ worker: WorkerProcess,
            _ platform: Platform
        ) async throws {
            let first = try await platform.event(platform.publish(platform.command("grant")))
            #expect(first.outcome == "succeeded")
            let atRest = try worker.residentKilobytes()
            let all = try await HostileBroker.scenarios()
            #expect(all.count >= 50 && Set(brief).isSubset(of: all))
            for scenario in Load.isLong ? all : brief { try await play(scenario, broker, worker) }
            try broker.play("honest")
            try await worker.waitUntilReady()
            let last = try await platform.event(platform.publish(platform.command("grant")))
            #expect(last.outcome == "succeeded")
            let peak = try worker.residentKilobytes(peak: true)
            print("hostile broker: \(atRest) kB before, \(peak) kB at most")
            #expect(peak - atRest <= 40 * 1024 * Load.memory)
        }

        private static func play(_ scenario: String, _ broker: HostileBroker, _ worker: WorkerProcess) async throws {
            let before = worker.log.utf8.count
            try broker.play(scenario)
            let play = try await eventually("\(scenario) was played", within: .seconds(60)) {
                guard worker.isRunning else {
                    throw TestFailure("the worker ended at \(scenario): \(worker.log.suffix(4000))")
                }
                return broker.plays.first { $0.scenario == scenario }
            }
            #expect(play.endedBy != "timeout", "\(scenario): the worker held on to the connection")
            let said = try await eventually("the log tells of \(scenario)") {
                let log = String(decoding: worker.log.utf8.dropFirst(before), as: UTF8.self)
                return log.contains(words[scenario] ?? "no work with the broker for now") ? log : nil
            }
            #expect(!said.contains(HostileBroker.password), "\(scenario): a password in the log")
            for line in said.split(separator: "\n") {
                let text = String(line)
                // Escaped is not enough: whoever prints the text has them back.
                let isPrintable =
                    !text.contains("\\u00")
                    && text.unicodeScalars.allSatisfy { scalar in
                        ![.control, .format].contains(scalar.properties.generalCategory)
                    }
                #expect(isPrintable, "\(scenario): \(text)")
            }
        }
    }
}
