import Foundation
import HTTP
import JSON
import Testing

extension IntegrationTests {
    /// What the worker says of itself to Prometheus and to people.
    @Suite(.timeLimit(.minutes(5)))
    struct MonitoringTests {
        /// The least that is tried again and again, and fast.
        private static let quick = ["retry: {base: 10ms, cap: 50ms}"]

        @Test func aScrapeIsValidTrueAndHasAllThatDashboardAndAlertsAskFor() async throws {
            try await Scene.run { scene in
                try scene.configure(top: Self.quick)
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        try await troubles(scene, platform)
                        let text = try await eventually("the broker was asked after the last command") {
                            // Somebody looks: it is asked more often.
                            _ = await worker.get("status.json")
                            let text = try await scrape(worker)
                            let isAsked = !text.contains(#"consent_queue_messages{queue="consent.dead-letters"} 0"#)
                            return isAsked && text.contains("consent_queue_messages{") ? text : nil
                        }
                        scene.emit(text)
                        try expectTheTruth(text, scene)
                        try await expectToBeValid(text, scene)
                        let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)").count
                        let sent = ["graph", "partnerCenter"].reduce(0) {
                            $0
                                + (sample(
                                    "consent_requests_total",
                                    ["api": $1, "application": "\(scene.application)"],
                                    in: text
                                ) ?? 0)
                        }
                        #expect(sent == Double(arrivals))
                        _ = try await platform.takeDeadLetters()
                    }
                }
            }
        }

        @Test func aScrapeUnderLoadHoldsNoCommandUp() async throws {
            try await Scene.run { scene in
                try scene.configure(top: ["log: {level: info}"])
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    try await platform.publishAll(
                        (0..<500).map { (platform.command("grant", customer: Platform.customer($0)), "c-\($0)") }
                    )
                    let worker = try await scene.startWorker()
                    let looking = (1...4).map { number in
                        Task { try await look(worker, number.isMultiple(of: 2) ? "metrics" : "status.json") }
                    }
                    try await platform.waitForEvents(500, within: .seconds(60))
                    looking.forEach { $0.cancel() }
                    var looks: [Duration] = []
                    for task in looking { looks += try await task.value }
                    await worker.stop()
                    let record = try await ArrivalRecord(scene.simulator, "\(scene.application)")
                    let rate = record.bestRate(over: 200)
                    let slowest = try #require(looks.max())
                    print("scrapes: \(looks.count), slowest \(slowest), best rate \(rate), worst \(record.worstWindow)")
                    #expect(looks.count > 100 && slowest < .seconds(2))
                    #expect(record.worstWindow <= 50 && rate >= 50 * Load.share)
                }
            }
        }

        @Test func theStatusSaysWhatHappenedAndWhoIsToMendIt() async throws {
            try await Scene.run(applications: 2) { scene in
                try scene.configure(each: [scene.applications[1]: ["ordering: none"]], top: Self.quick)
                try await scene.simulator.inject([
                    "match": ["kind": "grant"], "times": 1, "action": ["refusal": "customerNotFound"],
                ])
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        for command in ["grant", "revoke"] {
                            _ = try await platform.event(platform.publish(platform.command(command)))
                        }
                        let status = try await status(worker)
                        scene.emit(status.text)
                        let failure = try #require(status["failures"]?.array?.first)
                        #expect(failure["category"] == "customerNotFound" && failure["fixableBy"] == "partner")
                        #expect(failure["remedy"]?.string?.isEmpty == false)
                        #expect(failure["correlationId"]?.string == platform.events.first?.correlationID)
                        #expect(status["failures"]?.array?.count == 1)
                        let roles = status["applications"]?.array?.map { $0["role"]?.string }
                        #expect(roles == ["owner", "shared"])
                        let application = try #require(status["applications"]?.array?.first)
                        #expect(application["total"]?["failed"] == 1 && application["total"]?["succeeded"] == 1)
                        let pod = try #require(status["pods"]?.array?.first)
                        #expect(pod["isThisOne"] == true && pod["name"] == status["pod"])
                        #expect(pod["owns"]?.array == [.string("\(scene.application)")])
                        #expect(application["owner"] == status["pod"])
                        _ = try await platform.takeDeadLetters()
                    }
                }
            }
        }

        @Test func thePageKeepsToItself() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { worker in
                    let page = try #require(await worker.get(""))
                    let text = String(decoding: page.body, as: UTF8.self)
                    let policy = try #require(page[header: "Content-Security-Policy"])
                    #expect(page.status == 200 && policy.hasPrefix("default-src 'none'; connect-src 'self'"))
                    let nonce = try #require(policy.split(separator: "'nonce-").last?.dropLast())
                    #expect(text.contains("<script nonce=\"\(nonce)\">") && text.contains("<style nonce=\"\(nonce)\">"))
                    #expect(!text.contains("NONCE") && !text.contains("page.js */") && !text.contains("page.css */"))
                    #expect(!text.contains("innerHTML") && text.firstRange(of: "http://www.w3.org/2000/svg") != nil)
                    let next = try #require(await worker.get("")?[header: "Content-Security-Policy"])
                    #expect(next != policy)
                }
            }
        }

        // MARK: - What happens

        /// One of each kind of end, and of each kind of trouble on the way.
        private func troubles(_ scene: Scene, _ platform: Platform) async throws {
            for action: JSONValue in [
                ["throttle": ["retryAfter": "1"]], ["status": ["status": 503]], ["refusal": "customerNotFound"],
            ] {
                try await scene.simulator.inject(["match": ["kind": "grant"], "times": 1, "action": action])
            }
            try await scene.simulator.inject(["match": ["kind": "revoke"], "times": 1, "action": ["reset": [:]]])
            for command in ["grant", "grant", "revoke"] {
                _ = try await platform.event(platform.publish(platform.command(command), replyTo: "nobody"))
            }
            let query = platform.command("query", ["query": ["operation": "list"], "issuedAt": "2026-01-01T00:00:00Z"])
            _ = try await platform.event(platform.publish(query))
            _ = try await platform.event(
                platform.publish(platform.command("grant", ["deadline": "2026-01-01T00:00:00Z"]))
            )
            let broken: JSONValue = ["applicationId": .string("\(scene.application)"), "customerId": "nobody"]
            _ = try await platform.event(platform.publish(broken))
        }

        private func expectTheTruth(_ text: String, _ scene: Scene) throws {
            let own = ["application": "\(scene.application)"]
            let expected: [(String, [String: String], Double)] = [
                ("consent_commands_total", ["command": "grant", "outcome": "succeeded"], 1),
                ("consent_commands_total", ["command": "grant", "outcome": "failed"], 1),
                ("consent_commands_total", ["command": "grant", "outcome": "expired"], 1),
                ("consent_commands_total", ["command": "revoke", "outcome": "succeeded"], 1),
                ("consent_commands_total", ["command": "query", "outcome": "succeeded"], 1),
                ("consent_commands_total", ["command": "unknown", "outcome": "rejected"], 1),
                ("consent_dead_letters_total", ["category": "customerNotFound", "fixable_by": "partner"], 1),
                ("consent_throttled_total", ["api": "partnerCenter"], 1),
                ("consent_request_failures_total", ["category": "apiUnavailable"], 1),
                ("consent_request_failures_total", ["category": "connectionFailed"], 1),
                ("consent_command_duration_seconds_count", ["command": "query"], 1),
                ("consent_command_wait_seconds_count", ["cause": "limit"], 5),
                ("consent_limit_requests", ["api": "partnerCenter"], 50),
                ("consent_limit_requests", ["api": "graph"], 20),
                ("consent_limit_window_seconds", ["api": "graph"], 1), ("consent_owned", [:], 1),
                ("consent_lanes", [:], 0), ("consent_commands_in_hand", [:], 0),
                ("consent_commands_in_hand_max", [:], 200), ("consent_requests_in_flight", ["api": "graph"], 0),
            ]
            for (name, labels, value) in expected {
                #expect(sample(name, labels.merging(own) { $1 }, in: text) == value, "\(name) \(labels)")
            }
            #expect(sample("consent_ready", [:], in: text) == 1)
            #expect(sample("consent_pods", [:], in: text) == 1)
            let queue = ["messaging_destination_name": "consent.commands.\(scene.application)"]
            #expect(sample("messaging_client_consumed_messages_total", queue, in: text) == 6)
            #expect(
                sample(
                    "messaging_client_sent_messages_total",
                    ["messaging_destination_name": "consent.events"],
                    in: text
                )
                    == 6
            )
            #expect(
                sample(
                    "http_client_request_duration_seconds_count",
                    ["http_request_method": "POST", "http_response_status_code": "429"],
                    in: text
                ) == 1
            )
            #expect(
                sample(
                    "http_client_request_duration_seconds_count",
                    ["http_request_method": "DELETE", "error_type": "connectionLost"],
                    in: text
                ) == 1
            )
            let expiry = try #require(
                sample("consent_refresh_token_expiry_timestamp_seconds", ["partner": "\(scene.partner)"], in: text)
            )
            #expect(abs(expiry - Date.now.timeIntervalSince1970 - 90 * 86_400) < 600)
        }

        /// By Prometheus's own tool, and by what is in `deploy/monitoring`.
        private func expectToBeValid(_ text: String, _ scene: Scene) async throws {
            let lint = try await ChildProcess.run("/usr/bin/promtool", ["check", "metrics"], input: text)
            #expect(lint.status == 0, "\(lint.errors)\(lint.output)")
            let file = "\(scene.folder)/scrape"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let names = try await ChildProcess.run(
                "/usr/bin/python3",
                ["\(Checkout.root)/Tests/Monitoring/queries.py", "--names", file]
            )
            #expect(names.status == 0, "\(names.output)\(names.errors)")
        }

        // MARK: - Looking

        private func scrape(_ worker: WorkerProcess) async throws -> String {
            let response = try #require(await worker.get("metrics"))
            #expect(
                response.status == 200
                    && response[header: "Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true
            )
            return String(decoding: response.body, as: UTF8.self)
        }

        private func status(_ worker: WorkerProcess) async throws -> JSONValue {
            try await eventually("the other application is attached") {
                let status = try JSONParser.parse(try #require(await worker.get("status.json")).body)
                return status["ready"] == true ? status : nil
            }
        }

        /// Looks again and again, until it is cancelled; how long each look took.
        private func look(_ worker: WorkerProcess, _ path: String) async throws -> [Duration] {
            let client = HTTPClient()
            var took: [Duration] = []
            while !Task.isCancelled {
                let started = ContinuousClock.now
                let response = try? await client.send(HTTPRequest(.get, "\(worker.adminURL)/\(path)"))
                if response?.status == 200 { took.append(ContinuousClock.now - started) }
                try? await Task.sleep(for: .milliseconds(20))
            }
            await client.shutdown()
            return took
        }

        /// The value of the one sample of that name that has these labels, whatever others.
        private func sample(_ name: String, _ labels: [String: String], in text: String) -> Double? {
            let lines = text.split(separator: "\n").filter { line in
                (line.hasPrefix("\(name){") || line.hasPrefix("\(name) "))
                    && labels.allSatisfy { line.contains("\($0.key)=\"\($0.value)\"") }
            }
            guard lines.count == 1 else { return nil }
            return lines[0].split(separator: " ").last.flatMap { Double($0) }
        }
    }
}
