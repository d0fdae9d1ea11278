import AMQP
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// What a trace of a command shows, as a collector with OpenTelemetry's own definitions reads it.
    @Suite(.timeLimit(.minutes(5)))
    struct TracingTests {
        private static let traceID = "0af7651916cd43dd8448eb211c80319c"
        private static let publisher = "b7ad6b7169203331"
        private static let quick = "retry: {base: 10ms, cap: 100ms}"

        /// Runs a worker that traces; the spans are read after it has stopped.
        private func spans(
            sampleRatio: Double = 1,
            _ body: (Scene, Platform) async throws -> Void
        ) async throws -> [Span] {
            var spans: [Span] = []
            try await Scene.run { scene in
                let collector = try await CollectorProcess(scene)
                try "# of the collector\nx-key: collector-key\n".write(
                    toFile: "\(scene.folder)/headers",
                    atomically: true,
                    encoding: .utf8
                )
                let tracing = "endpoint: \"\(collector.url)\", sampleRatio: \(sampleRatio), headersFile: headers"
                try scene.configure(top: ["tracing: {\(tracing)}", Self.quick])
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        try await body(scene, platform)
                        _ = try await platform.takeDeadLetters()
                    }
                    #expect(!worker.log.contains("collector-key"))
                }
                await collector.stop()
                #expect(collector.log == "")
                spans = try collector.spans().map(Span.init)
            }
            for span in spans {
                #expect(span.json["key"] == "collector-key" && span.json["scope"] == "consent-worker")
                #expect(span.json["resource"]?["service.name"] == "consent-worker")
                #expect(span.start <= span.end && !span.json.text.contains("Bearer"))
            }
            return spans
        }

        private func headers(_ flags: String) -> [String: String] {
            ["traceparent": "00-\(Self.traceID)-\(Self.publisher)-\(flags)", "tracestate": "vendor=value"]
        }

        @Test func aCommandsTraceHasItsPartsBelowTheSpanOfItsPublisher() async throws {
            var traceparents: (event: String?, request: String?) = (nil, nil)
            var tracestates: (event: String?, request: String?) = (nil, nil)
            var requestID: String?
            let spans = try await spans { scene, platform in
                let headers = headers("01").mapValues { AMQPValue.string($0) }
                let published = try await platform.publish(
                    platform.command("grant"),
                    correlationID: "order-1",
                    headers: headers
                )
                let event = try await platform.event(published)
                let arrival = try #require(try await scene.simulator.arrivals(of: "\(scene.application)").first)
                #expect(event.properties.headers["traceparent"]?.string == event.json["traceparent"]?.string)
                traceparents = (event.json["traceparent"]?.string, arrival.traceparent)
                tracestates = (event.json["tracestate"]?.string, arrival.tracestate)
                requestID = arrival.requestID
            }
            #expect(spans.allSatisfy { $0.traceID == Self.traceID && $0.json["traceState"] == "vendor=value" })

            let command = try #require(spans.first { $0.name == "process consent.commands" })
            #expect(command.parent == Self.publisher && command.kind == "SPAN_KIND_CONSUMER" && !command.isError)
            // Sampled; the parent is of another process.
            #expect(command.json["flags"] == 0x301)
            #expect(command["messaging.system"] == "rabbitmq")
            #expect(command["messaging.operation.type"] == "process")
            #expect(command["messaging.destination.name"] == "consent.commands")
            #expect(command["messaging.message.conversation_id"] == "order-1")
            #expect(command["consent.outcome"] == "succeeded" && command["consent.command"] == "grant")

            let parts = spans.filter { $0.id != command.id }
            #expect(
                Set(parts.map(\.name)) == [
                    "receive consent.commands", "token wait", "limiter wait", "POST", "publish consent.events",
                    "settle consent.commands",
                ]
            )
            for part in parts {
                #expect(part.parent == command.id && part.json["flags"] == 0x101)
                #expect(command.start <= part.start && part.end <= command.end)
            }
            let request = try #require(parts.first { $0.name == "POST" })
            #expect(request.kind == "SPAN_KIND_CLIENT" && request["http.request.method"] == "POST")
            #expect(request["server.address"] == "127.0.0.1" && request["http.response.status_code"] == 201)
            #expect(request["consent.request_id"]?.string == requestID && requestID != nil)
            let publish = try #require(parts.first { $0.name == "publish consent.events" })
            #expect(publish.kind == "SPAN_KIND_PRODUCER" && publish["messaging.operation.type"] == "publish")
            #expect(publish["messaging.message.conversation_id"] == "order-1")

            #expect(traceparents.event == "00-\(Self.traceID)-\(command.id)-01")
            #expect(traceparents.request == "00-\(Self.traceID)-\(request.id)-01")
            #expect(tracestates.event == "vendor=value" && tracestates.request == "vendor=value")
        }

        @Test func retriesRefusalsAndRejectionsAreSeen() async throws {
            let spans = try await spans { scene, platform in
                try await scene.simulator.inject(
                    ["match": ["kind": "grant"], "times": 1, "action": ["status": ["status": 503]]]
                )
                _ = try await platform.event(platform.publish(platform.command("grant")))
                try await scene.simulator.inject(
                    ["match": ["kind": "revoke"], "times": 1, "action": ["refusal": "forbidden"]]
                )
                _ = try await platform.event(platform.publish(platform.command("revoke")))
                _ = try await platform.event(
                    platform.publish(platform.command("grant", ["scope": 1, "commandId": "x"]))
                )
            }
            let commands = spans.filter { $0.kind == "SPAN_KIND_CONSUMER" }
            #expect(commands.count == 3 && Set(commands.map(\.traceID)).count == 3)
            #expect(commands.allSatisfy { $0.parent == "" })
            let outcomes = commands.map { $0["consent.outcome"]?.string }
            #expect(outcomes == ["succeeded", "failed", "rejected"])
            #expect(commands.map(\.isError) == [false, true, true])
            #expect(commands[1]["error.type"] == "insufficientPrivileges")
            #expect(commands[2]["error.type"] == "invalidCommand")

            let posts = spans.filter { $0.name == "POST" }
            #expect(posts.map { $0["http.response.status_code"]?.int } == [503, 201])
            #expect(posts.map(\.isError) == [true, false] && posts[0]["error.type"] == "503")
            #expect(Set(posts.map(\.parent)) == [commands[0].id])
            #expect(spans.filter { $0.name == "retry wait" }.map(\.parent) == [commands[0].id])
            let letters = spans.filter { $0.name == "publish consent.dead-letters" }
            #expect(letters.map(\.parent) == [commands[1].id, commands[2].id])
        }

        @Test func aTraceThatItsPublisherDoesNotRecordIsPassedOnUnrecorded() async throws {
            let spans = try await spans { _, platform in
                let headers = headers("00").mapValues { AMQPValue.string($0) }
                let event = try await platform.event(platform.publish(platform.command("grant"), headers: headers))
                let traceparent = try #require(event.json["traceparent"]?.string)
                #expect(traceparent.hasPrefix("00-\(Self.traceID)-") && traceparent.hasSuffix("-00"))
                #expect(traceparent != headers["traceparent"]?.string)
            }
            #expect(spans.isEmpty)
        }

        @Test func withoutAParentTheRatioDecides() async throws {
            let spans = try await spans(sampleRatio: 0) { _, platform in
                let event = try await platform.event(platform.publish(platform.command("grant")))
                #expect(event.json["traceparent"]?.string?.hasSuffix("-00") == true)
                // What others record is recorded here too.
                let headers = headers("01").mapValues { AMQPValue.string($0) }
                _ = try await platform.event(platform.publish(platform.command("revoke"), headers: headers))
            }
            #expect(!spans.isEmpty && spans.allSatisfy { $0.traceID == Self.traceID })
        }

        @Test(arguments: [true, false])
        func aCollectorThatIsDownOrSilentHoldsNothingUp(isDown: Bool) async throws {
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                let collector = isDown ? nil : try await CollectorProcess(scene, mode: .silent)
                // Port 9 is below those that anybody is given.
                let url = collector?.url ?? "http://127.0.0.1:9/v1/traces"
                try scene.configure(application: ["limits: none"], top: ["tracing: {endpoint: \"\(url)\"}"])
                let worker = try await scene.startWorker()
                try await Platform.run(scene, validating: false) { platform in
                    // More spans than wait at a time.
                    let commands = (1...1500).map { number in
                        (platform.command("grant", customer: Platform.customer(number)), "command-\(number)")
                    }
                    try await platform.publishAll(commands)
                    _ = try await eventually("all commands end") {
                        platform.events.count { $0.outcome == "succeeded" } == 1500 ? true : nil
                    }
                    if !isDown {
                        _ = try await eventually("dropped spans are told") {
                            worker.log.contains("spans are dropped") ? true : nil
                        }
                    }
                }
                let stopping = ContinuousClock.now
                #expect(await worker.stop() == 0)
                // Three seconds for the spans that are left, and what the rest needs in any case.
                #expect(ContinuousClock.now - stopping < .seconds(10))
                #expect(worker.log.split(separator: "\n").count { $0.contains("the collector takes no spans") } == 1)
                await collector?.stop()
            }
        }

        /// A span as the collector wrote it down.
        private struct Span {
            let json: JSONValue

            init(_ json: JSONValue) { self.json = json }

            var name: String { json["name"]?.string ?? "" }
            var kind: String { json["kind"]?.string ?? "" }
            var traceID: String { json["traceId"]?.string ?? "" }
            var id: String { json["spanId"]?.string ?? "" }
            var parent: String { json["parentSpanId"]?.string ?? "" }
            var start: Int { json["start"]?.int ?? .max }
            var end: Int { json["end"]?.int ?? .min }
            var isError: Bool { json["isError"]?.bool ?? false }

            subscript(attribute: String) -> JSONValue? { json["attributes"]?[attribute] }
        }
    }
}
