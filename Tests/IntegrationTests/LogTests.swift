import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// What the log says, and what it leaves out.
    @Suite(.timeLimit(.minutes(5)))
    struct LogTests {
        @Test func everyLineIsAnObjectAndOneOfACommandHasItsCorrelationID() async throws {
            try await Scene.run { scene in
                try scene.configure()
                var lines: [JSONValue] = []
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        let customer = Platform.customer(1)
                        for _ in 1...3 {
                            _ = try await platform.event(
                                platform.publish(platform.command("grant", customer: customer), replyTo: "nowhere")
                            )
                        }
                        try await scene.simulator.inject(
                            ["match": ["kind": "revoke"], "times": 1, "action": ["throttle": ["retryAfter": "1"]]]
                        )
                        _ = try await platform.event(platform.publish(platform.command("revoke", customer: customer)))
                    }
                    _ = try await eventually("lost replies are told") {
                        worker.log.components(separatedBy: "a reply was lost").count == 4 ? true : nil
                    }
                    lines = try worker.log.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
                }
                #expect(lines.allSatisfy { $0["time"]?.string != nil && $0["level"]?.string != nil })
                for message in ["command ended", "a reply was lost; its event was not", "throttled by the API"] {
                    let about = lines.filter { $0["message"]?.string == message }
                    #expect(!about.isEmpty && about.allSatisfy { $0["correlationId"]?.string?.isEmpty == false })
                }
                for line in lines where line["commandId"] != nil { #expect(line["correlationId"]?.string != nil) }
            }
        }

        @Test func atInfoCommandsAreNotTold() async throws {
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(application: ["limits: none"], top: ["log: {level: info}"])
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        // Throttled together: one line tells of all that were under way.
                        try await scene.simulator.inject(
                            ["match": ["kind": "grant"], "times": 20, "action": ["throttle": ["retryAfter": "1"]]]
                        )
                        let commands = (1...500).map { number in
                            (platform.command("grant", customer: Platform.customer(number)), "command-\(number)")
                        }
                        try await platform.publishAll(commands)
                        _ = try await eventually("all commands end") { platform.events.count == 500 ? true : nil }
                    }
                    let lines = worker.log.split(separator: "\n")
                    #expect(lines.count { $0.contains("throttled by the API") } < 5)
                    // What is left tells of the start.
                    #expect(lines.count < 15, "\(worker.log)")
                }
            }
        }

        @Test func noTextOfAPublisherBeginsALine() async throws {
            try await Scene.run { scene in
                try scene.configure(top: ["log: {level: trace, format: text}"])
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        let event = try await platform.event(
                            platform.publish(
                                platform.command("grant"),
                                correlationID: "a\n2026-01-01 critical\u{1B}[2J"
                            )
                        )
                        #expect(event.outcome == "succeeded")
                    }
                    let lines = worker.log.split(separator: "\n")
                    #expect(!lines.isEmpty && lines.allSatisfy { !$0.hasPrefix("2026-01-01 critical") })
                    #expect(worker.log.contains(#"a\n2026-01-01 critical\u{1B}[2J"#), "\(worker.log)")
                }
            }
        }
    }
}
