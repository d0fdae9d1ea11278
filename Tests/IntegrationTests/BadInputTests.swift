import AMQP
import ConsentContract
import ConsentWorker
import JSON
import Testing

extension IntegrationTests {
    /// What is no valid command is answered, kept, and does no harm.
    @Suite(.timeLimit(.minutes(5)))
    struct BadInputTests {
        @Test func everyKindOfBadMessageIsAnsweredAndKeptAndTheWorkerGoesOn() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let cases = Self.cases(scene, platform)
                        for bad in cases {
                            try await platform.publish(
                                bad.body,
                                correlationID: bad.name,
                                exchange: bad.exchange,
                                routingKey: bad.key
                            )
                        }
                        for bad in cases {
                            let event = try await platform.event(bad.name)
                            #expect(event.outcome == "rejected", "\(bad.name)")
                            #expect(event.category == bad.category, "\(bad.name)")
                            let pointers = event.data["error"]?["faults"]?.array?.compactMap { $0["pointer"]?.string }
                            #expect(Set(pointers ?? []) == bad.pointers, "\(bad.name)")
                        }
                        let letters = try await eventually("all dead letters") {
                            try await platform.depth(Topology.Name.deadLetters) == cases.count
                                ? try await platform.takeDeadLetters() : nil
                        }
                        let kept = Dictionary(grouping: letters) { $0.properties.correlationID ?? "" }
                        for bad in cases {
                            let letter = try #require(kept[bad.name]?.first, "\(bad.name)")
                            #expect(letter.properties.headers["consent-category"]?.string == bad.category)
                            if bad.body.count <= 65_536 { #expect(letter.body == .complete(bad.body), "\(bad.name)") }
                        }
                        let good = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(good.outcome == "succeeded")
                        #expect(try await platform.depth(platform.commandQueue) == 0)
                    }
                }
            }
        }

        private struct Bad {
            let name: String
            let body: [UInt8]
            var exchange = Topology.Name.commands
            let key: String
            let category: String
            let pointers: Set<String>
        }

        private static func cases(_ scene: Scene, _ platform: Platform) -> [Bad] {
            let key = "\(scene.application).\(Platform.customer(1))"
            let good = platform.command("grant")
            func without(_ name: String) -> [UInt8] {
                JSONValue.object(JSONObject(members: (good.object?.members ?? []).filter { $0.name != name })).bytes
            }
            func with(_ members: [String: JSONValue]) -> [UInt8] { platform.command("grant", members).bytes }
            let unknown = GUID.random().description
            let foreign = JSONValue.object(
                JSONObject(
                    members: (good.object?.members ?? []).map {
                        $0.name == "applicationId" ? .init(name: $0.name, value: .string(unknown)) : $0
                    }
                )
            )
            let large = [UInt8](repeating: UInt8(ascii: " "), count: 65_537)
            return [
                Bad(name: "not JSON", body: Array("{".utf8), key: key, category: "malformedMessage", pointers: [""]),
                Bad(name: "empty", body: [], key: key, category: "malformedMessage", pointers: [""]),
                Bad(name: "an array", body: Array("[]".utf8), key: key, category: "malformedMessage", pointers: [""]),
                Bad(
                    name: "invalid UTF-8",
                    body: Array(#"{"command": ""#.utf8) + [0xFF] + Array(#""}"#.utf8),
                    key: key,
                    category: "malformedMessage",
                    pointers: [""]
                ),
                Bad(
                    name: "missing member",
                    body: without("partnerTenantId"),
                    key: key,
                    category: "invalidCommand",
                    pointers: ["/partnerTenantId"]
                ),
                Bad(
                    name: "wrong types",
                    body: with(["dryRun": "yes", "requestedBy": 7]),
                    key: key,
                    category: "invalidCommand",
                    pointers: ["/dryRun", "/requestedBy"]
                ),
                Bad(
                    name: "all faults at once",
                    body: Array(#"{"command": "grant", "commandId": "x", "applicationGrants": []}"#.utf8),
                    key: key,
                    category: "invalidCommand",
                    pointers: ["/commandId", "/partnerTenantId", "/customerId", "/applicationId", "/applicationGrants"]
                ),
                Bad(name: "over 64 KiB", body: large, key: key, category: "bodyTooLarge", pointers: [""]),
                Bad(
                    name: "over several frames",
                    body: [UInt8](repeating: UInt8(ascii: "x"), count: 400_000),
                    key: key,
                    category: "bodyTooLarge",
                    pointers: [""]
                ),
                Bad(
                    name: "unknown application",
                    body: foreign.bytes,
                    key: "\(unknown).\(Platform.customer(1))",
                    category: "applicationNotConfigured",
                    pointers: ["/applicationId"]
                ),
                Bad(
                    name: "contradicting customer",
                    body: good.bytes,
                    key: "\(scene.application).\(Platform.customer(2))",
                    category: "routingKeyMismatch",
                    pointers: [""]
                ),
                Bad(
                    name: "contradicting application",
                    body: foreign.bytes,
                    key: key,
                    category: "routingKeyMismatch",
                    pointers: [""]
                ),
                Bad(
                    name: "strange routing key",
                    body: good.bytes,
                    key: "\(scene.application).a.b",
                    category: "routingKeyMismatch",
                    pointers: [""]
                ),
                Bad(
                    name: "routing key without a queue",
                    body: good.bytes,
                    key: "nowhere",
                    category: "routingKeyMismatch",
                    pointers: [""]
                ),
                Bad(
                    name: "another application's queue",
                    body: foreign.bytes,
                    exchange: "",
                    key: platform.commandQueue,
                    category: "routingKeyMismatch",
                    pointers: ["/applicationId"]
                ),
                Bad(
                    name: "own tenant",
                    body: JSONValue.object(
                        JSONObject(
                            members: (good.object?.members ?? []).map {
                                $0.name == "customerId"
                                    ? .init(name: $0.name, value: .string(scene.partner.description)) : $0
                            }
                        )
                    ).bytes,
                    key: "\(scene.application).\(scene.partner)",
                    category: "ownTenantRefused",
                    pointers: ["/customerId"]
                ),
            ]
        }

        @Test func aCommandPublishedStraightToTheQueueIsCarriedOut() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        try await platform.publish(
                            platform.command("grant").bytes,
                            correlationID: "direct",
                            exchange: "",
                            routingKey: platform.commandQueue
                        )
                        #expect(try await platform.event("direct").outcome == "succeeded")
                    }
                }
            }
        }

        @Test func strangePropertiesHarmNobody() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        // Nanoseconds where AMQP has seconds; a count that no broker gives; bytes that are no text.
                        let script = """
                            import json, os, pika
                            connection = pika.BlockingConnection(pika.URLParameters(os.environ["CONSENT_AMQP_URL"]))
                            channel = connection.channel()
                            channel.confirm_delivery()
                            class Raw(str):
                                def encode(self, *arguments): return b"\\xff" * 200
                            def publish(body, **properties):
                                channel.basic_publish("consent.commands", os.environ["KEY"], body,
                                                      pika.BasicProperties(delivery_mode=2, **properties))
                            for body, kind in ((os.environ["BODY"], "good "), ("{", "bad ")):
                                publish(body, correlation_id=kind + "time", timestamp=2**63 - 1)
                                publish(body, correlation_id=kind + "count", headers={"x-delivery-count": 2**63 - 1})
                                publish(body, correlation_id=Raw("raw"), reply_to=Raw("raw"), type=Raw("raw"))
                                publish(body, correlation_id=kind + "large", headers={"h%d" % i: "x" * 1000 for i in range(120)})
                            connection.close()
                            """
                        let command = platform.command("grant")
                        let result = try await ChildProcess.run(
                            "/usr/bin/python3",
                            ["-c", script],
                            environment: [
                                "CONSENT_AMQP_URL": scene.broker.url, "BODY": command.text,
                                "KEY": "\(scene.application).\(Platform.customer(1))",
                            ]
                        )
                        #expect(result.status == 0, "\(result.errors)")
                        let id = command["commandId"]?.string ?? ""
                        for correlationID in ["good time", "good count", "good large", id] {
                            #expect(try await platform.event(correlationID).outcome == "succeeded", "\(correlationID)")
                        }
                        do {
                            try await platform.waitForEvents(8, within: .seconds(60))
                        } catch {
                            let answered = platform.events.map(\.correlationID)
                            let left = try await platform.depth(platform.commandQueue)
                            Issue.record("answered: \(answered), still in the queue: \(left)")
                        }
                        let letters = try await eventually("the dead letters of the four that are no JSON") {
                            try await platform.depth(Topology.Name.deadLetters) == 4
                                ? try await platform.takeDeadLetters() : nil
                        }
                        #expect(letters.contains { $0.properties.headers["consent-headers-dropped"] == true })
                        #expect(worker.isRunning)
                    }
                }
            }
        }

        @Test func aPartnerWithoutATokenFailsByName() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let members = (platform.command("grant").object?.members ?? []).map {
                            $0.name == "partnerTenantId"
                                ? .init(name: $0.name, value: .string(GUID.random().description)) : $0
                        }
                        let event = try await platform.event(
                            platform.publish(.object(JSONObject(members: members)))
                        )
                        #expect(event.outcome == "failed" && event.category == "partnerNotConfigured")
                        #expect(try await platform.takeDeadLetters().count == 1)
                    }
                }
            }
        }
    }
}
