import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// What the API or the network does wrong for a while costs time, not commands.
    @Suite(.timeLimit(.minutes(5)))
    struct RetryTests {
        private let quick = ["retry: {base: 10ms, cap: 100ms}"]

        /// One grant under faults; returns its event and what the simulator saw of it.
        private func grant(
            under faults: [JSONValue],
            _ top: [String]
        ) async throws -> (Platform.Event, [SimulatorProcess.Arrival]) {
            var result: (Platform.Event, [SimulatorProcess.Arrival])?
            try await Scene.run { scene in
                try scene.configure(top: top)
                for fault in faults { try await scene.simulator.inject(fault) }
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let event = try await platform.event(platform.publish(platform.command("grant")))
                        _ = try await platform.takeDeadLetters()
                        result = (event, try await scene.simulator.arrivals(of: "\(scene.application)"))
                    }
                }
            }
            return try #require(result)
        }

        @Test(arguments: [500, 502, 503, 504, 408])
        func aServerErrorIsRetriedWithTheSameRequestID(status: Int) async throws {
            let fault: JSONValue = [
                "match": ["kind": "grant"], "times": 2, "action": ["status": ["status": JSONValue(status)]],
            ]
            let (event, arrivals) = try await grant(under: [fault], quick)
            #expect(event.outcome == "succeeded" && event.effect == "granted")
            #expect(event.data["attempts"] == 3)
            #expect(arrivals.count == 3 && Set(arrivals.map(\.requestID)).count == 1)
        }

        @Test func aThrottledCommandWaitsAsLongAsToldAndItsAttemptIsAnother() async throws {
            let fault: JSONValue = [
                "match": ["kind": "grant"], "times": 1, "action": ["throttle": ["retryAfter": "2"]],
            ]
            let (event, arrivals) = try await grant(under: [fault], quick)
            #expect(event.outcome == "succeeded")
            #expect(arrivals.count == 2 && Set(arrivals.map(\.requestID)).count == 2)
            let waited = arrivals[1].atNanoseconds - arrivals[0].atNanoseconds
            #expect(waited >= 1_990_000_000)
            #expect(event.data["attempts"] == 1)
            // The worker asks the limiter again some time after the pause has begun.
            #expect(event.data["timings"]?["limiterMs"]?.int ?? 0 >= 1000)
        }

        @Test func aHangIsEndedByTheTimeoutAndRetried() async throws {
            let fault: JSONValue = ["match": ["kind": "grant"], "times": 1, "action": ["hang": [:]]]
            // Long enough for the answers that do come, also on a busy machine.
            let (event, arrivals) = try await grant(under: [fault], quick + ["http: {timeout: 3s}"])
            #expect(event.outcome == "succeeded" && event.data["attempts"] == 2)
            #expect(Set(arrivals.map(\.requestID)).count == 1)
        }

        @Test func anAnswerLostAfterTheEffectIsNotDoneTwice() async throws {
            let fault: JSONValue = [
                "match": ["kind": "grant"], "times": 1, "action": ["reset": [:]], "afterEffect": true,
            ]
            let (event, arrivals) = try await grant(under: [fault], quick)
            #expect(event.outcome == "succeeded")
            #expect(arrivals.count { $0.effect != nil && !$0.repeated } == 1)
            #expect(Set(arrivals.map(\.requestID)).count == 1)
        }

        @Test func anExpiredTokenIsRenewedOnce() async throws {
            let fault: JSONValue = ["match": ["kind": "grant"], "times": 1, "action": ["expireTokens": [:]]]
            let (event, arrivals) = try await grant(under: [fault], quick)
            #expect(event.outcome == "succeeded")
            #expect(arrivals.map(\.status) == [401, 201])
            #expect(Set(arrivals.map(\.requestID)).count == 2)
        }

        @Test func retriesRunOutWithTheReasonAndAnHonestEffect() async throws {
            let fault: JSONValue = ["match": ["kind": "grant"], "action": ["status": ["status": 503]]]
            let (event, arrivals) = try await grant(
                under: [fault],
                ["retry: {maxAttempts: 3, base: 10ms, cap: 20ms}"]
            )
            #expect(event.outcome == "failed" && event.category == "apiUnavailable" && event.effect == "unknown")
            #expect(arrivals.count == 3)
        }

        @Test func aRefusalIsFinalAndNamed() async throws {
            for (refusal, category) in [
                ("mfaRequired", "partnerReauthorizationRequired"), ("insufficientPrivileges", "insufficientPrivileges"),
                ("forbidden", "insufficientPrivileges"), ("missingServicePrincipal", "resourceNotProvisioned"),
                ("customerNotFound", "customerNotFound"),
            ] {
                let fault: JSONValue = ["match": ["kind": "grant"], "action": ["refusal": .string(refusal)]]
                let (event, arrivals) = try await grant(under: [fault], quick)
                #expect(event.outcome == "failed" && event.category == category, "\(refusal): \(event.json.text)")
                #expect(arrivals.count == 1)
            }
        }

        @Test func aRefusedClientSecretFailsNoCommandAndShowsInReadiness() async throws {
            try await Scene.run { scene in
                try scene.configure(top: quick)
                let fault: JSONValue = [
                    "id": "secret", "match": ["kind": "token"],
                    "action": ["tokenError": ["error": "invalid_client", "code": 7_000_215]],
                ]
                try await scene.simulator.inject(fault)
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        let correlationID = try await platform.publish(platform.command("grant"))
                        _ = try await eventually("readiness says why") {
                            try await worker.probe("readyz")?.status == 503 ? true : nil
                        }
                        #expect(platform.events.isEmpty)
                        try await scene.simulator.clearFaults()
                        #expect(try await platform.event(correlationID).outcome == "succeeded")
                        try await worker.waitUntilReady()
                    }
                }
            }
        }

        @Test func aPauseThatTheAPIAsksForHoldsWithoutALimitToo() async throws {
            try await Scene.run { scene in
                try scene.configure(application: ["limits: none"], top: quick)
                try await scene.simulator.inject([
                    "match": ["kind": "grant"], "times": 1, "action": ["throttle": ["retryAfter": "1"]],
                ])
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let event = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(event.outcome == "succeeded")
                        let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                        #expect(arrivals.count == 2)
                        #expect(arrivals[1].atNanoseconds - arrivals[0].atNanoseconds >= 990_000_000)
                    }
                }
            }
        }

        @Test func aDeadlineThatPassesWhileACommandWaitsSpendsNoPermit() async throws {
            try await Scene.run { scene in
                try scene.configure(application: ["limits: {partnerCenter: {requests: 1, per: 6s, margin: 0ms}}"])
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let first = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(first.outcome == "succeeded")
                        // From when the only permit was used: the next one comes well after the deadline, however
                        // long this test took to see the event.
                        let used = try #require(Timestamp(first.json["time"]?.string ?? ""))
                        let deadline = JSONValue.string("\(used + .seconds(3))")
                        let ids = try await (2...3).asyncMap { customer in
                            try await platform.publish(
                                platform.command("grant", customer: Platform.customer(customer), ["deadline": deadline])
                            )
                        }
                        for id in ids { #expect(try await platform.event(id).outcome == "expired") }
                        #expect(try await scene.simulator.arrivals(of: "\(scene.application)").count == 1)
                    }
                }
            }
        }

        @Test func anExchangeThatVanishesHoldsCommandsUntilItIsBack() async throws {
            let broker = try await PrivateBroker()
            do {
                try await Scene.run(broker: broker) { scene in
                    try scene.configure()
                    try await scene.withWorker { worker in
                        try await broker.connect { connection in
                            try await connection.openChannel().deleteExchange("consent.events")
                        }
                        let published = try await broker.connect { connection in
                            let channel = try await connection.openChannel()
                            try await channel.selectConfirms()
                            let body = Self.grant(scene)
                            return try await channel.publish(
                                AMQPMessage(
                                    exchange: "consent.commands",
                                    routingKey: "\(scene.application).\(Platform.customer(1))",
                                    body: body
                                )
                            )
                        }
                        #expect(published == .confirmed)
                        _ = try await eventually("the log says which exchange") {
                            worker.log.contains("no exchange 'consent.events'") ? true : nil
                        }
                        try await scene.declareTopology()
                        try await Platform.run(scene) { platform in
                            // In the same lane: it runs only after the first was answered.
                            let event = try await platform.event(platform.publish(platform.command("revoke")))
                            #expect(event.effect == "revoked")
                        }
                    }
                }
            } catch {
                try await broker.remove()
                throw error
            }
            try await broker.remove()
        }

        @Test func aFullQueueOfThePlatformHoldsCommandsAndSaysSo() async throws {
            let broker = try await PrivateBroker()
            do {
                try await Scene.run(broker: broker) { scene in
                    try scene.configure()
                    try await scene.withWorker { worker in
                        try await broker.connect { connection in
                            let channel = try await connection.openChannel()
                            let full = AMQPQueue(
                                "platform.full",
                                arguments: ["x-max-length": 1, "x-overflow": "reject-publish"]
                            )
                            try await channel.declare(full)
                            try await channel.bind(
                                AMQPBinding(queue: full.name, exchange: Topology.Name.events, routingKey: "#")
                            )
                            try await Platform.run(scene) { platform in
                                let ids = try await [1, 2, 3].asyncMap {
                                    try await platform.publish(
                                        platform.command("grant", customer: Platform.customer($0))
                                    )
                                }
                                _ = try await eventually("readiness says which exchange") {
                                    try await worker.probe("readyz")?.body.text.contains(
                                        "no queue takes what is published to consent.events"
                                    ) == true ? true : nil
                                }
                                #expect(worker.log.contains("commands wait for it"))
                                _ = try await eventually("the queue takes all of them in the end") {
                                    while let delivery = try await channel.get(full.name) { delivery.ack() }
                                    return try await worker.probe("readyz")?.status == 200 ? true : nil
                                }
                                for id in ids {
                                    let event = try await platform.event(id)
                                    #expect(event.outcome == "succeeded")
                                }
                                let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                                #expect(arrivals.count == ids.count)
                            }
                        }
                    }
                }
            } catch {
                try await broker.remove()
                throw error
            }
            try await broker.remove()
        }

        private static func grant(_ scene: Scene) -> [UInt8] {
            let command: JSONValue = [
                "command": "grant", "commandId": .string(UUID().uuidString),
                "partnerTenantId": .string("\(scene.partner)"), "customerId": .string(Platform.customer(1)),
                "applicationId": .string("\(scene.application)"),
                "applicationGrants": [
                    ["enterpriseApplicationId": "00000003-0000-0000-c000-000000000000", "scope": "User.Read"]
                ],
            ]
            return command.bytes
        }
    }
}

extension Sequence {
    /// `map` for what has to wait, one after the other.
    func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
