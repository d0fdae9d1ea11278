import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// The trouble of one partner or customer is that one's own.
    @Suite(.timeLimit(.minutes(Load.isLong ? 20 : 5)))
    struct IsolationTests {
        private func withPlan(
            _ plan: JSONValue,
            application: GUID = .random(),
            _ body: (Scene) async throws -> Void
        ) async throws {
            let folder = try Checkout.temporaryFolder()
            try plan.text.write(toFile: "\(folder)/plan.json", atomically: true, encoding: .utf8)
            try await Scene.run(
                application: "\(application)",
                simulator: ["--plan", "\(folder)/plan.json", "--limit", "none"],
                body
            )
            try FileManager.default.removeItem(atPath: folder)
        }

        private func token(of partner: GUID) -> JSONValue {
            ["tenantId": .string("\(partner)"), "refreshTokens": [.string("refresh-token-of-\(partner)")]]
        }

        @Test func aDeadPartnerHoldsNobodyUpAndIsReplayedOnceItSignedInAgain() async throws {
            let (healthyCount, deadCount) = Load.isLong ? (100, 2000) : (100, 150)
            let (application, healthy, dead) = (GUID.random(), GUID.random(), GUID.random())
            let renewed = "refresh-token-of-\(dead)-signed-in-again"
            let plan: JSONValue = [
                "strict": true, "applications": [["clientId": .string("\(application)")]],
                "partners": [
                    token(of: healthy), ["tenantId": .string("\(dead)"), "refreshTokens": [.string(renewed)]],
                ],
                "customers": .array(
                    (0..<healthyCount + deadCount).map {
                        [
                            "id": .string(Platform.customer($0)),
                            "partner": .string("\($0 < healthyCount ? healthy : dead)"),
                        ]
                    }
                ),
            ]
            try await withPlan(plan, application: application) { scene in
                try scene.addPartner(healthy)
                try scene.addPartner(dead)
                try scene.configure(top: ["log: {level: debug}"])
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        func commands(_ kind: String, _ run: String) -> [(command: JSONValue, correlationID: String)] {
                            (0..<healthyCount).map {
                                (
                                    platform.command(kind, partner: healthy, customer: Platform.customer($0)),
                                    "\(run)-\($0)"
                                )
                            }
                        }
                        let dying = (0..<deadCount).map {
                            (
                                command: platform.command(
                                    "grant",
                                    partner: dead,
                                    customer: Platform.customer(healthyCount + $0)
                                ), correlationID: "dead-\($0)"
                            )
                        }
                        // The dead partner's share of each stretch goes before one of the healthy one's.
                        let share = deadCount / healthyCount
                        let rest = deadCount % healthyCount
                        let beside = commands("revoke", "beside").enumerated().flatMap { index, command in
                            let from = index * share + min(index, rest)
                            return dying[from..<from + share + (index < rest ? 1 : 0)] + [command]
                        }
                        #expect(beside.count == healthyCount + deadCount)
                        let alone = try await duration(of: commands("grant", "alone"), "alone-", scene, platform)
                        let together = try await duration(of: beside, "beside-", scene, platform)
                        let ratio = together / alone
                        print(
                            "isolation: \(healthyCount) commands in \(rounded(alone)) s, beside \(deadCount) of a dead "
                                + "partner in \(rounded(together)) s, ratio \(rounded(ratio))"
                        )
                        #expect(ratio <= (Load.isLong ? 1.2 : 3))

                        try await platform.waitForEvents(2 * healthyCount + deadCount, within: .seconds(120))
                        let (failed, others) = platform.events.reduce(into: ([Platform.Event](), [Platform.Event]())) {
                            if $1.correlationID.hasPrefix("dead-") { $0.0.append($1) } else { $0.1.append($1) }
                        }
                        #expect(others.allSatisfy { $0.outcome == "succeeded" })
                        #expect(
                            failed.count == deadCount
                                && failed.allSatisfy {
                                    $0.category == "partnerReauthorizationRequired" && $0.effect == "none"
                                        && $0.data["error"]?["code"] == "AADSTS700082"
                                        && $0.data["error"]?["fixableBy"] == "partner"
                                }
                        )
                        let asked = try await scene.simulator.tokenArrivals().count { $0.tenant == "\(dead)" }
                        print("isolation: the token endpoint was asked \(asked) times about the dead partner")
                        #expect(asked <= 3)
                        try await replay(dead, renewed, dying.map(\.correlationID), scene, platform)
                    }
                }
            }
        }

        /// Seconds from before the first is published to the arrival of the last of one run.
        private func duration(
            of commands: [(command: JSONValue, correlationID: String)],
            _ run: String,
            _ scene: Scene,
            _ platform: Platform
        ) async throws -> Double {
            // What was sent before is out of the limit's window.
            try await Task.sleep(for: .seconds(1.5))
            let start = try await scene.simulator.now()
            try await platform.publishAll(commands)
            let mine = commands.map(\.correlationID).filter { $0.hasPrefix(run) }
            let headers = Set(mine.map(Correlation.header))
            let last = try await eventually("the requests of \(run)", within: .seconds(120), every: .milliseconds(100))
            {
                let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                    .filter { headers.contains($0.correlationID ?? "") }
                return arrivals.count == headers.count ? arrivals.map(\.atNanoseconds).max() : nil
            }
            return Double(last - start) / 1e9
        }

        /// Replaces the partner's token, and has its dead letters replayed.
        private func replay(
            _ partner: GUID,
            _ token: String,
            _ correlationIDs: [String],
            _ scene: Scene,
            _ platform: Platform
        ) async throws {
            _ = try await eventually("the dead letters are there") {
                try await platform.depth(Topology.Name.deadLetters) >= correlationIDs.count ? true : nil
            }
            let added = try await scene.commandLine(["tokens", "add", "--partner", "\(partner)"], input: "\(token)\n")
            #expect(added.status == 0, "\(added)")
            let replayed = try await scene.commandLine(
                "dead-letters",
                "replay",
                "--partner",
                "\(partner)",
                "--rate",
                "1000",
                "--json"
            )
            let summary = try LetterBox.lines(replayed).last
            #expect(replayed.status == 0 && summary?["replayed"]?.int == correlationIDs.count, "\(replayed)")
            _ = try await eventually("all come through", within: .seconds(120), every: .milliseconds(200)) {
                let succeeded = platform.events.filter { $0.outcome == "succeeded" }.map(\.correlationID)
                return Set(correlationIDs).isSubset(of: succeeded) ? true : nil
            }
            #expect(platform.events.count { $0.outcome == "failed" } == correlationIDs.count)
            #expect(try await scene.simulator.consentedCustomers("\(scene.application)").count == correlationIDs.count)
        }

        @Test func aCustomerWithoutConsentFailsAlone() async throws {
            // As at Microsoft's, a customer's tenant gives tokens only to an application that has consent there.
            try await withPlan(["requireConsentForGraph": true]) { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let (customers, unconsented) = (0..<20, 7)
                        func query(_ number: Int) -> JSONValue {
                            platform.command(
                                "query",
                                customer: Platform.customer(number),
                                ["query": ["operation": "list"]]
                            )
                        }
                        try await platform.publishAll(
                            customers.filter { $0 != unconsented }.map {
                                (platform.command("grant", customer: Platform.customer($0)), "grant-\($0)")
                            }
                        )
                        try await platform.waitForEvents(customers.count - 1, within: .seconds(30))
                        try await platform.publishAll(customers.map { (query($0), "query-\($0)") })
                        try await platform.waitForEvents(2 * customers.count - 1, within: .seconds(30))
                        let failed = platform.events.filter { $0.outcome != "succeeded" }
                        #expect(failed.map(\.correlationID) == ["query-\(unconsented)"])
                        #expect(failed.first?.category == "customerNotConsented")
                        #expect(failed.first?.data["error"]?["code"] == "AADSTS65001")
                        #expect(failed.first?.data["attempts"] == 0)
                        #expect(try await platform.takeDeadLetters().count == 1)

                        // Its grant is its partner's affair, and mends it.
                        let granted = try await platform.event(
                            platform.publish(
                                platform.command("grant", customer: Platform.customer(unconsented))
                            )
                        )
                        #expect(granted.outcome == "succeeded")
                        #expect(try await platform.event(platform.publish(query(unconsented))).outcome == "succeeded")
                        let asked = try await scene.simulator.tokenArrivals().count { $0.tenant == "\(scene.partner)" }
                        #expect(asked == 1, "the partner's own token was asked for again")
                    }
                }
            }
        }

        @Test func anEventThatNobodyIsBoundForIsKept() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    // Nobody collects the events here.
                    let command = GUID.random()
                    try await scene.broker.connect { connection in
                        let channel = try await connection.openChannel()
                        try await channel.selectConfirms()
                        var properties = AMQPProperties()
                        properties.correlationID = "unclaimed"
                        let body: JSONValue = [
                            "command": "revoke", "commandId": .string("\(command)"),
                            "partnerTenantId": .string("\(scene.partner)"),
                            "customerId": .string(Platform.customer(1)),
                            "applicationId": .string("\(scene.application)"),
                        ]
                        let outcome = try await channel.publish(
                            AMQPMessage(
                                exchange: Topology.Name.commands,
                                routingKey: "\(scene.application).\(Platform.customer(1))",
                                properties: properties,
                                body: body.bytes
                            )
                        )
                        #expect(outcome == .confirmed)
                        let kept = try await eventually("the event is kept") { () -> AMQPDelivery? in
                            while let message = try await channel.get(Topology.Name.unclaimed) {
                                message.ack()
                                if message.routingKey.hasSuffix("\(scene.application)") { return message }
                            }
                            return nil
                        }
                        #expect(kept.routingKey == "revoke.succeeded.\(scene.application)")
                        #expect(kept.properties.correlationID == "unclaimed")
                        #expect(kept.properties.messageID == "\(Identifiers.event(command: command, generation: 0))")
                        guard case .complete(let event) = kept.body else { throw TestFailure("no whole event") }
                        #expect(try JSONParser.parse(event)["data"]?["effect"] == "alreadyRevoked")
                    }
                }
            }
        }
    }
}
