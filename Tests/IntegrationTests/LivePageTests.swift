import AMQP
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// The page for people, in a browser: small and large, by day and by night.
    @Suite(.timeLimit(.minutes(5)))
    struct LivePageTests {
        /// Where the pictures go, to be looked at: CONSENT_SCREENSHOTS.
        private static let screenshots = ProcessInfo.processInfo.environment["CONSENT_SCREENSHOTS"]

        @Test func thePageShowsRestWorkAndTroubleAsTheyAre() async throws {
            try await Scene.run { scene in
                try scene.configure(top: ["retry: {base: 10ms, cap: 50ms}", "log: {level: info}"])
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        try await look(worker, "idle")
                        try await look(worker, "crowded")
                        try await platform.publishAll(
                            (0..<600).map { (platform.command("grant", customer: Platform.customer($0)), "c-\($0)") }
                        )
                        try await look(worker, "busy")
                        try await trouble(scene, platform)
                        try await look(
                            worker,
                            "failing",
                            expecting: [
                                "customerNotFound", "For the partner: ", "correlation <img src=x onerror=alert(1)>",
                                "Partner Center throttles application \(scene.application)", "paused by the API",
                                "came to nothing in the last minute", "Look for another program", "1 dead letter waits",
                            ]
                        )
                        _ = try await platform.takeDeadLetters()
                    }
                }
            }
        }

        /// The customer is unknown, the API stumbles, and another program uses up the limit.
        private func trouble(_ scene: Scene, _ platform: Platform) async throws {
            try await platform.waitForEvents(600, within: .seconds(60))
            let letters = try await platform.takeDeadLetters()
            #expect(letters.isEmpty)
            try await scene.simulator.inject([
                "match": ["kind": "grant"], "times": 1, "action": ["refusal": "customerNotFound"],
            ])
            _ = try await platform.event(
                platform.publish(platform.command("grant"), correlationID: "<img src=x onerror=alert(1)>")
            )
            try await scene.simulator.inject([
                "match": ["kind": "revoke"], "times": 3, "action": ["status": ["status": 503]],
            ])
            _ = try await platform.event(platform.publish(platform.command("revoke")))
            try await scene.simulator.inject([
                "match": ["kind": "grant"], "times": 1, "action": ["throttle": ["retryAfter": "50"]],
            ])
            for customer in 1...7 {
                try await platform.publish(platform.command("grant", customer: Platform.customer(customer)))
            }
        }

        private func look(_ worker: WorkerProcess, _ state: String, expecting: [String] = []) async throws {
            var arguments = ["\(Checkout.root)/Tests/Browser/check_page.py", "\(worker.adminURL)/", state]
            if let folder = Self.screenshots { arguments += ["--screenshots", folder] }
            for text in expecting { arguments += ["--expect", text] }
            let started = ContinuousClock.now
            let result = try await ChildProcess.run("/usr/bin/python3", arguments)
            print("page: \(state) looked at in \(ContinuousClock.now - started)")
            #expect(result.status == 0, "\(state): \(result.output)\(result.errors)")
        }
    }
}
