import ConsentWorker
import Foundation
import JSON
import NIOConcurrencyHelpers
import Testing

extension IntegrationTests {
    /// How the worker shows who it is, and what it keeps to itself.
    @Suite(.timeLimit(.minutes(5)))
    struct IdentityTests {
        @Test func aCertificateSignsInsteadOfASecret() async throws {
            let authority = try await CertificateAuthority()
            try await authority.selfSign("application", names: "DNS:application")
            try await authority.issue("server", commonName: "localhost", names: "DNS:localhost")
            let plan = "\(authority.folder)/plan.json"
            // Written before the simulator starts, so the scene's own IDs cannot be in it: it names one for all.
            let application = "99999999-9999-4999-8999-999999999999"
            try """
            {"applications": [{"clientId": "\(application)", "certificate": "\(authority.certificate("application"))"}]}
            """.write(toFile: plan, atomically: true, encoding: .utf8)
            let tls = ["--tls-certificate", authority.certificate("server"), "--tls-key", authority.key("server")]
            try await Scene.run(application: application, simulator: ["--plan", plan] + tls) { scene in
                try scene.configure(
                    credential: [
                        "certificateFile: \"\(authority.certificate("application"))\"",
                        "privateKeyFile: \"\(authority.key("application"))\"",
                    ],
                    top: ["http: {tls: {caFile: \"\(authority.caFile)\"}}"],
                    endpoint: "https://localhost:\(scene.simulator.port)"
                )
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let granted = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(granted.outcome == "succeeded", "\(granted.json.text)")
                        // At the customer's tenant the assertion is for another audience.
                        let read = try await platform.event(
                            platform.publish(platform.command("query", ["query": ["operation": "list"]]))
                        )
                        #expect(read.outcome == "succeeded", "\(read.json.text)")
                    }
                }
            }
            try authority.remove()
        }

        @Test func aCertificateWithTheKeyOfAnotherIsRefusedBeforeTheStart() async throws {
            let authority = try await CertificateAuthority()
            for name in ["one", "other"] { try await authority.selfSign(name, names: "DNS:\(name)") }
            try await Scene.run { scene in
                try scene.configure(
                    credential: [
                        "certificateFile: \"\(authority.certificate("one"))\"",
                        "privateKeyFile: \"\(authority.key("other"))\"",
                    ]
                )
                let result = try await scene.commandLine("check-config")
                #expect(result.status == 78 && result.errors.contains("do not belong together"), "\(result)")
            }
            try authority.remove()
        }

        @Test func aColdStartAsksForEachTokenOnce() async throws {
            let customers = 50
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(application: ["limits: none"])
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    let commands = (0..<500).map { index in
                        let customer = Platform.customer(index % customers)
                        // Queries need a token of each customer's tenant, grants one of the partner's.
                        return index < 450
                            ? (
                                platform.command("query", customer: customer, ["query": ["operation": "list"]]),
                                "q-\(index)"
                            )
                            : (platform.command("grant", customer: customer), "g-\(index)")
                    }
                    try await platform.publishAll(commands.map { ($0.0, $0.1) })
                    try await scene.withWorker { _ in
                        try await platform.waitForEvents(500, within: .seconds(60))
                    }
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                    let requests = try await scene.simulator.tokenRequests()
                    print("identity: 500 commands, \(requests) token requests")
                    #expect(requests <= customers + 1)
                }
            }
        }

        @Test func aPartnerAddedWhileTheWorkerRunsIsServed() async throws {
            try await Scene.run { scene in
                try scene.configure()
                let file = "\(scene.folder)/refresh-tokens/\(scene.partner)"
                try FileManager.default.removeItem(atPath: file)
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let early = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(early.category == "partnerNotConfigured")
                        _ = try await platform.takeDeadLetters()
                        let added = try await scene.commandLine(
                            ["tokens", "add", "--partner", "\(scene.partner)"],
                            input: "a-refresh-token\n"
                        )
                        #expect(added.status == 0, "\(added)")
                        let late = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(late.outcome == "succeeded")
                    }
                }
                let listed = try await scene.commandLine("tokens", "list")
                #expect(listed.output.contains("\(scene.partner)  90 days left"), "\(listed)")
                let checked = try await scene.commandLine("tokens", "check")
                #expect(checked.status == 0 && checked.output.contains("accepted"), "\(checked)")
                try await scene.simulator.inject([
                    "match": ["kind": "token"],
                    "action": ["tokenError": ["error": "invalid_grant", "code": 700_082]],
                ])
                let dead = try await scene.commandLine("tokens", "check")
                #expect(dead.status == 1 && dead.output.contains("partnerReauthorizationRequired"), "\(dead)")
            }
        }

        @Test func aCustomersTokenIsDroppedWhenItsConsentChanges() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let query: [String: JSONValue] = ["query": ["operation": "list"]]
                        for (kind, members, requests) in [
                            ("query", query, 1), ("query", query, 1), ("grant", [:], 2), ("query", query, 3),
                            ("revoke", [:], 3), ("query", query, 4),
                        ] as [(String, [String: JSONValue], Int)] {
                            let event = try await platform.event(platform.publish(platform.command(kind, members)))
                            #expect(event.outcome == "succeeded")
                            #expect(try await scene.simulator.tokenRequests() == requests, "after \(kind)")
                        }
                    }
                }
            }
        }

        @Test func commandsThatWaitForTheLimitAreNotSentWithATokenThatHasDiedMeanwhile() async throws {
            let (count, limit) = (60, 20)
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(application: ["limits: {partnerCenter: {requests: \(limit)}}"])
                try await scene.declareTopology()
                // All tokens, while most of the commands wait for the limit with theirs.
                try await scene.simulator.inject([
                    "match": ["kind": "grant"], "after": .number(JSONNumber(limit)), "times": 1,
                    "action": ["expireTokens": [:]],
                ])
                try await Platform.run(scene) { platform in
                    try await platform.publishAll(
                        (0..<count).map { (platform.command("grant", customer: Platform.customer($0)), "c-\($0)") }
                    )
                    try await scene.withWorker { _ in try await platform.waitForEvents(count, within: .seconds(30)) }
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                    let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                    let refused = arrivals.count { $0.status == 401 }
                    print("identity: a token dies while \(count - limit) commands wait: \(refused) are sent with it")
                    // Those that were on their way at once.
                    #expect((1...limit / 2).contains(refused))
                }
            }
        }

        @Test func aTokenThatWasNotUsedForAWeekIsRenewedAndOneThatDiesIsTold() async throws {
            try await Scene.run(simulator: ["--rotate-refresh-tokens"]) { scene in
                try scene.configure()
                func write(daysAgo days: Int) throws {
                    let time = Date(timeIntervalSinceNow: -86_400 * Double(days)).ISO8601Format()
                    try #"{"refreshToken": "refresh-token-of-\#(scene.partner)", "obtainedAt": "\#(time)"}"#.write(
                        toFile: "\(scene.folder)/refresh-tokens/\(scene.partner)",
                        atomically: true,
                        encoding: .utf8
                    )
                }
                try write(daysAgo: 6)
                try await scene.withWorker { _ in
                    let requests = try await scene.simulator.tokenRequests()
                    #expect(requests == 0)
                }
                try write(daysAgo: 8)
                try await scene.withWorker { _ in
                    _ = try await eventually("the token is renewed") {
                        let listed = try await scene.commandLine("tokens", "list")
                        return listed.output.contains("90 days left") ? true : nil
                    }
                }
                try write(daysAgo: 70)
                try await scene.simulator.inject([
                    "match": ["kind": "token"],
                    "action": ["tokenError": ["error": "invalid_grant", "code": 700_082]],
                ])
                try await scene.withWorker { worker in
                    _ = try await eventually("the log warns") {
                        worker.log.contains("a refresh token expires") && worker.log.contains(#""daysLeft":"20""#)
                            ? true : nil
                    }
                    let failure = worker.log.split(separator: "\n").first { $0.contains("was not renewed") }
                    #expect(failure?.contains(#""code":"AADSTS700082""#) == true, "\(worker.log)")
                }
            }
        }

        @Test func filesThatEverybodyCanReadAreWarnedOf() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.declareTopology()
                let secret = "\(scene.folder)/client-secret"
                try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: secret)
                let warned = try await scene.commandLine("check-config")
                #expect(
                    warned.status == 0 && warned.errors.contains("warning: everybody on this machine can use \(secret)")
                )
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
                #expect(try await !scene.commandLine("check-config").errors.contains(secret))
            }
        }

        @Test func rotationNeverLeavesATornFileWhoeverIsKilled() async throws {
            let arguments = ["--limit", "none", "--rotate-refresh-tokens", "--token-lifetime", "2"]
            try await Scene.run(simulator: arguments) { scene in
                try scene.configure(application: ["limits: none"])
                let file = "\(scene.folder)/refresh-tokens/\(scene.partner)"
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let load = Task {
                            while !Task.isCancelled {
                                _ = try await platform.event(platform.publish(platform.command("grant")))
                            }
                        }
                        let seen = NIOLockedValueBox<Set<String>>([])
                        let reader = Task {
                            while !Task.isCancelled {
                                let text = try String(contentsOfFile: file, encoding: .utf8)
                                let token =
                                    text.hasPrefix("{")
                                    ? try JSONParser.parse(Array(text.utf8))["refreshToken"]?.string : text
                                guard let token, !token.isEmpty else { throw TestFailure("torn: \(text)") }
                                _ = seen.withLockedValue { $0.insert(token) }
                                await Task.yield()
                            }
                        }
                        var generator = SystemRandomNumberGenerator()
                        var round = 0
                        // On a busy machine a pod may die before it rotates; the worker itself does every two seconds.
                        while round < 40 || (seen.withLockedValue { $0.count } <= 3 && round < 1000) {
                            // The second pod: rotates the same file, and dies at any moment of it.
                            let other = try ChildProcess(
                                "\(Checkout.binaries)/consent-worker",
                                ["tokens", "check", "--config", scene.configurationFile],
                                logFile: "\(scene.folder)/other-\(round).log"
                            )
                            try await Task.sleep(for: .milliseconds(Int.random(in: 5...60, using: &generator)))
                            await other.kill()
                            round += 1
                        }
                        load.cancel()
                        reader.cancel()
                        try await reader.value
                        let tokens = seen.withLockedValue { $0.count }
                        print("identity: \(tokens) tokens seen in the file under \(round) kills")
                        #expect(tokens > 3)
                        _ = await load.result
                    }
                }
                // Undisturbed, the last one issued is the one that is kept.
                #expect(try await scene.commandLine("tokens", "check").status == 0)
                let kept = try JSONParser.parse(Array(try Data(contentsOf: URL(filePath: file))))
                let issued = try await scene.simulator.call(.get, "tokens")
                let latest = issued["refreshTokens"]?.array?.first { $0["partner"]?.string == "\(scene.partner)" }
                #expect(kept["refreshToken"]?.string == latest?["latest"]?.string, "\(issued.text)")
            }
        }

        @Test func nothingThatTheSystemEmitsHoldsASecret() async throws {
            try await Scene.run(simulator: ["--rotate-refresh-tokens"]) { scene in
                try await scene.broker.ctl("add_user", "grep\(scene.adminPort)", "broker-password-4711")
                try await scene.broker.ctl("set_permissions", "grep\(scene.adminPort)", ".*", ".*", ".*")
                let url = "amqp://grep\(scene.adminPort):broker-password-4711@127.0.0.1:\(scene.broker.port)/%2f"
                try scene.configure(
                    top: ["log: {level: trace}", "retry: {maxAttempts: 2, base: 5ms, cap: 10ms}"],
                    amqp: "amqp: {url: \"\(url)\"}"
                )
                var emitted: [String] = []
                var worker: WorkerProcess?
                try await scene.withWorker { running in
                    worker = running
                    try await Platform.run(scene) { platform in
                        for (kind, members) in [
                            ("grant", [:]), ("query", ["query": ["operation": "list"]]),
                            ("grant", ["dryRun": true]), ("revoke", [:]), ("grant", ["dryRun": "wrong"]),
                        ] as [(String, [String: JSONValue])] {
                            _ = try await platform.event(platform.publish(platform.command(kind, members)))
                        }
                        for action in [
                            ["status": ["status": 401]], ["refusal": "mfaRequired"], ["reset": [:]], ["malformed": [:]],
                            ["tokenError": ["error": "invalid_grant", "code": 65001]],
                            ["tokenError": ["error": "invalid_client", "code": 7_000_215]],
                        ] as [JSONValue] {
                            try await scene.simulator.call(.delete, "tokens")
                            // A refused secret is asked about again every ten seconds, not every few milliseconds.
                            let times: JSONValue = action["tokenError"]?["error"] == "invalid_client" ? 1 : 4
                            try await scene.simulator.inject(["action": action, "times": times])
                            _ = try await platform.event(
                                platform.publish(platform.command("query", ["query": ["operation": "list"]]))
                            )
                            try await scene.simulator.clearFaults()
                        }
                        emitted += platform.events.map(\.json.text)
                        emitted += try await platform.takeDeadLetters().map { "\($0)" }
                        for path in ["readyz", "livez"] {
                            emitted.append(try await running.probe(path)?.body.text ?? "")
                        }
                    }
                }
                for arguments in [
                    ["check-config"], ["tokens", "list"], ["tokens", "check"], ["declare-topology"],
                    ["declare-topology", "--print"],
                ] {
                    let result = try await scene.commandLine(arguments)
                    emitted += [result.output, result.errors]
                }
                emitted.append(worker?.log ?? "")
                let everything = emitted.joined(separator: "\n")
                #expect(everything.utf8.count > 10_000, "the run emitted little")
                let issued = try await scene.simulator.call(.get, "tokens")
                var secrets = [
                    "client-secret-\(scene.application)", "refresh-token-of-", "broker-password-4711", "Bearer",
                ]
                secrets += Self.tokens(issued)
                #expect(secrets.count >= 6, "the simulator names the tokens that it issued")
                for secret in secrets { #expect(!everything.contains(secret), "\(secret)") }
            }
        }

        /// Every text in the simulator's list of tokens that is a token.
        private static func tokens(_ issued: JSONValue) -> [String] {
            (issued["refreshTokens"]?.array ?? []).flatMap { account in
                [account["latest"]?.string].compactMap(\.self)
                    + (account["tenants"]?.array ?? []).compactMap { $0["latest"]?.string }
            }
        }
    }
}
