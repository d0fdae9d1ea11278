import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// What people and scripts see: words, and exit codes.
    @Suite(.timeLimit(.minutes(5)))
    struct CommandLineTests {
        @Test func everyFaultOfAConfigurationIsNamedAtOnce() async throws {
            try await Scene.run { scene in
                try """
                amqp: {url: "amqp://user:topsecret@broker.example.com/", hartbeat: 5s}
                endpoints: {graph: "http://graph.example.com"}
                applications:
                  - applicationId: not-a-guid
                    clientSecretFile: missing
                    prefetch: 0
                retry: {maxAttempts: many, base: 5}
                http: {timeout: [1s]}
                tracing: {endpoint: "http://collector.example.com/v1/traces", sampleRatio: 2, headersFile: headers}
                """.write(toFile: scene.configurationFile, atomically: true, encoding: .utf8)
                try "x-key: topsecret\ntopsecret".write(
                    toFile: "\(scene.folder)/headers",
                    atomically: true,
                    encoding: .utf8
                )
                let result = try await scene.commandLine("check-config")
                #expect(result.status == 78)
                for text in [
                    "amqp.url (line 1)", "amqp.hartbeat (line 1)", "endpoints.graph (line 2)",
                    "applications[0].applicationId (line 4)", "applications[0].clientSecretFile (line 5)",
                    "applications[0].refreshTokens", "applications[0].prefetch (line 6)", "retry.maxAttempts (line 7)",
                    "retry.base (line 7)", "http.timeout (line 8)",
                    "tracing.endpoint (line 9): sends traces in the clear", "tracing.sampleRatio (line 9)",
                    "tracing.headersFile (line 9): line 2 of the file",
                ] {
                    #expect(result.errors.contains(text), "\(text) in:\n\(result.errors)")
                }
                #expect(!result.errors.contains("topsecret"))
                #expect(try await scene.commandLine("run").status == 78)
                // The scene clears up a queue, so there has to be one.
                try scene.configure()
                try await scene.declareTopology()
            }
        }

        @Test func theEnvironmentWinsOverTheFile() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.declareTopology()
                let result = try await ChildProcess.run(
                    "\(Checkout.binaries)/consent-worker",
                    ["check-config", "--config", scene.configurationFile],
                    environment: ["CONSENT_RETRY_MAX_ATTEMPTS": "none"]
                )
                #expect(result.status == 78 && result.errors.contains("retry.maxAttempts"))
            }
        }

        @Test func publishAndWaitShowsTheEventAndTheOutcomeAsExitCode() async throws {
            try await Scene.run { scene in
                try scene.configure()
                let ids = ["--partner", "\(scene.partner)", "--customer", Platform.customer(1)]
                let grant = ["--grant", "00000003-0000-0000-c000-000000000000=User.Read"]
                try await scene.declareTopology()
                let waiting = try await scene.commandLine(
                    ["publish", "grant"] + ids + grant + ["--wait", "--timeout", "1"]
                )
                #expect(waiting.status == 75, "\(waiting)")
                try await scene.withWorker { _ in
                    let granted = try await scene.commandLine(["publish", "grant"] + ids + grant + ["--wait"])
                    #expect(granted.status == 0 && granted.output.contains("grant succeeded"), "\(granted)")
                    let listed = try await scene.commandLine(["publish", "query"] + ids + ["--wait", "--json"])
                    #expect(try JSONParser.parse(Array(listed.output.utf8.dropLast()))["data"]?["effect"] == "read")
                    try await scene.simulator.inject(["action": ["refusal": "forbidden"]])
                    let refused = try await scene.commandLine(["publish", "revoke"] + ids + ["--wait"])
                    #expect(refused.status == 1 && refused.output.contains("insufficientPrivileges"), "\(refused)")
                    let bad = try await scene.commandLine(["publish", "grant"] + ids + ["--grant", "x=y", "--wait"])
                    #expect(bad.status == 64 && bad.errors.contains("/applicationGrants/0/enterpriseApplicationId"))
                }
                try await Platform.run(scene) { platform in _ = try await platform.takeDeadLetters() }
            }
        }

        @Test func healthIsAnExitCodeThatOnlyTheWorkerDecides() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.declareTopology()
                // A worker that waits for its broker lives, and takes no commands.
                let worker = try await scene.startWorker(
                    waitUntilReady: false,
                    environment: ["CONSENT_AMQP_URL": "amqp://guest:guest@127.0.0.1:9/%2f"]
                )
                _ = try await eventually("it listens") { try await worker.probe("livez") }
                // Neither other faults in the file nor a proxy matter.
                try "applications: 7".write(toFile: scene.configurationFile, atomically: true, encoding: .utf8)
                func health(_ arguments: String..., at address: String) async throws -> ChildProcess.Result {
                    try await ChildProcess.run(
                        "\(Checkout.binaries)/consent-worker",
                        ["health", "--config", scene.configurationFile] + arguments,
                        environment: ["CONSENT_ADMIN_LISTEN": address, "http_proxy": "http://127.0.0.1:9"]
                    )
                }
                let address = String(worker.adminURL.dropFirst("http://".count))
                let alive = try await health(at: address)
                #expect(alive.status == 0 && alive.output.contains("\"live\":true"), "\(alive)")
                let everywhere = address.replacing("127.0.0.1", with: "0.0.0.0")
                #expect(try await health(at: everywhere).status == 0)
                let ready = try await health("--ready", at: address)
                #expect(ready.status == 1 && ready.output.contains("\"ready\":false"), "\(ready)")
                await worker.stop()
                let gone = try await health(at: address)
                #expect(gone.status == 1 && gone.errors.contains("no worker answers at admin.listen"), "\(gone)")
                #expect(try await health(at: "127.0.0.1:0").status == 78)
            }
        }

        @Test func aMissingBrokerIsOneSentenceAndItsOwnExitCode() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.declareTopology()
                let result = try await ChildProcess.run(
                    "\(Checkout.binaries)/consent-worker",
                    ["declare-topology", "--config", scene.configurationFile],
                    environment: ["CONSENT_AMQP_URL": "amqp://guest:guest@127.0.0.1:9/%2f"]
                )
                #expect(result.status == 69)
                #expect(result.errors.split(separator: "\n").count == 1 && result.errors.contains("127.0.0.1:9"))
                let refused = try await ChildProcess.run(
                    "\(Checkout.binaries)/consent-worker",
                    ["declare-topology", "--config", scene.configurationFile],
                    environment: ["CONSENT_AMQP_URL": "amqp://guest:wrong@127.0.0.1:\(scene.broker.port)/%2f"]
                )
                #expect(refused.status == 69 && refused.errors.contains("refused the login"))
                #expect(!refused.errors.contains("wrong"))
            }
        }

        @Test func aQueueOfAnotherKindIsExplainedNotCrashedOn() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.broker.connect { connection in
                    let channel = try await connection.openChannel()
                    try await channel.declare(.init("consent.commands.\(scene.application)"))
                }
                let result = try await scene.commandLine("declare-topology")
                #expect(result.status == 78)
                #expect(result.errors.contains("the queue consent.commands.\(scene.application) exists with other"))
                let worker = try await scene.startWorker(waitUntilReady: false)
                _ = try await eventually("readiness says why") {
                    try await worker.probe("readyz")?.body.text.contains("exists with other properties") == true
                        ? true : nil
                }
                #expect(await worker.stop() == 0)
            }
        }

        @Test func anApplicationWhoseQueueIsAnotherKindStopsNoOthers() async throws {
            try await Scene.run(applications: 2) { scene in
                try scene.configure()
                let queue = Topology.Name.commandQueue(scene.applications[1])
                try await scene.broker.connect { connection in
                    _ = try await connection.openChannel().declare(AMQPQueue(queue))
                }
                let worker = try await scene.startWorker(waitUntilReady: false)
                try await Platform.run(scene) { platform in
                    _ = try await eventually("the first is worked on") {
                        try await worker.probe("readyz")?.body["owns"]?.array?.count == 1 ? true : nil
                    }
                    let event = try await platform.event(platform.publish(platform.command("grant")))
                    #expect(event.outcome == "succeeded")
                    let readiness = try #require(try await worker.probe("readyz")?.body.text)
                    #expect(
                        readiness.contains("application \(scene.applications[1]): the queue \(queue) exists with other")
                    )
                    // Once it is gone, the second is worked on too.
                    try await scene.broker.connect { connection in
                        try await connection.openChannel().deleteQueue(queue)
                    }
                    try await worker.waitUntilReady()
                    let command = platform.command("grant", application: scene.applications[1])
                    let second = try await platform.event(platform.publish(command))
                    #expect(second.outcome == "succeeded")
                }
                #expect(await worker.stop() == 0)
            }
        }

        @Test func anotherOrderingIsDeclaredOnceTheApplicationIsIdle() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.declareTopology()
                try scene.configure(application: ["ordering: none"])
                let line = "declared for another ordering"
                try await Platform.run(scene) { platform in
                    let waiting = try await platform.publish(platform.command("grant"))
                    let refused = try await scene.commandLine("declare-topology")
                    #expect(refused.status == 78 && refused.errors.contains("not empty"), "\(refused)")
                    try await scene.withWorker { worker in
                        let event = try await platform.event(waiting)
                        #expect(event.outcome == "succeeded")
                        #expect(worker.log.contains(line))
                    }
                    try await scene.declareTopology()
                    try await scene.withWorker { worker in
                        let event = try await platform.event(platform.publish(platform.command("revoke")))
                        #expect(event.outcome == "succeeded")
                        #expect(!worker.log.contains(line))
                    }
                    // As two that start together may do.
                    try await platform.publish(
                        Array(#"{"ordering": "none", "prefetch": 200}"#.utf8),
                        correlationID: "a token",
                        exchange: "",
                        routingKey: Topology.Name.ownerQueue(scene.application)
                    )
                    try scene.configure()
                    try await scene.declareTopology()
                    try await scene.withWorker { worker in
                        _ = try await eventually("it owns") {
                            try await worker.probe("readyz")?.body["owns"]?.array?.count == 1 ? true : nil
                        }
                        #expect(!worker.log.contains(line))
                    }
                }
            }
        }

        @Test func aUserWhoMayNotDeclareWorksOnWhatIsThere() async throws {
            try await Scene.run { scene in
                try scene.configure()
                let user = "reader\(scene.adminPort)"
                try await scene.broker.ctl("add_user", user, "reader-password")
                try await scene.broker.ctl("set_permissions", user, "^$", ".*", ".*")
                let url = "amqp://\(user):reader-password@127.0.0.1:\(scene.broker.port)/%2f"
                try scene.configure(amqp: "amqp: {url: \"\(url)\"}")
                let missing = try await scene.commandLine("declare-topology")
                #expect(
                    missing.status == 78 && missing.errors.contains("is missing, and the user may not"),
                    "\(missing)"
                )
                try scene.configure()
                try await scene.declareTopology()
                try scene.configure(amqp: "amqp: {url: \"\(url)\"}")
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let event = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(event.outcome == "succeeded")
                    }
                }
            }
        }

        @Test func thePrintedTopologyNamesWhatIsDeclared() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.declareTopology()
                let result = try await scene.commandLine("declare-topology", "--print")
                let printed = try JSONParser.parse(Array(result.output.utf8.dropLast()))
                let names = printed["queues"]?.array?.compactMap { $0["name"]?.string } ?? []
                #expect(
                    names.contains("consent.commands.\(scene.application)") && names.contains("consent.dead-letters")
                )
                try await scene.broker.connect { connection in
                    for name in names {
                        let channel = try await connection.openChannel()
                        try await channel.declare(.init(name, passive: true))
                    }
                }
            }
        }
    }
}
