import AMQP
import ConsentWorker
import JSON
import Testing

extension IntegrationTests {
    /// The main job: a command published becomes a request and an event.
    @Suite(.timeLimit(.minutes(5)))
    struct CommandTests {
        @Test func grantQueryAndRevokeTakeEffectAndAreAnswered() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let customer = Platform.customer(1)
                        let granted = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(granted.outcome == "succeeded" && granted.effect == "granted")
                        #expect(granted.routingKey == "grant.succeeded.\(scene.application)")
                        #expect(granted.data["api"]?["status"] == 201)
                        #expect(try await scene.simulator.isConsented(customer, "\(scene.application)"))

                        let again = try await platform.event(platform.publish(platform.command("grant")))
                        #expect(again.outcome == "succeeded" && again.effect == "alreadyGranted")

                        let list = try await platform.event(
                            platform.publish(platform.command("query", ["query": ["operation": "list"]]))
                        )
                        #expect(list.effect == "read" && list.data["result"]?["count"] == 3)
                        let id = try #require(list.data["result"]?["items"]?.array?.first?["id"]?.string)
                        let get = try await platform.event(
                            platform.publish(
                                platform.command("query", ["query": ["operation": "get", "id": .string(id)]])
                            )
                        )
                        #expect(get.data["result"]?["items"]?.array?.first?["id"]?.string == id)

                        let revoked = try await platform.event(platform.publish(platform.command("revoke")))
                        #expect(revoked.outcome == "succeeded" && revoked.effect == "revoked")
                        #expect(try await !scene.simulator.isConsented(customer, "\(scene.application)"))
                        let absent = try await platform.event(platform.publish(platform.command("revoke")))
                        #expect(absent.outcome == "succeeded" && absent.effect == "alreadyRevoked")
                    }
                }
            }
        }

        @Test func correlationAndTraceReachTheAPIAndTheEvent() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                        let correlationID = "7f3c0e0e-5d59-4f6e-9f9a-0e4b1f1d2c3b"
                        try await platform.publish(
                            platform.command("grant", ["requestedBy": "somebody"]),
                            correlationID: correlationID,
                            headers: ["traceparent": .string(traceparent), "tracestate": "vendor=value"]
                        )
                        let event = try await platform.event(correlationID)
                        #expect(event.json["traceparent"]?.string == traceparent)
                        #expect(event.json["tracestate"] == "vendor=value")
                        #expect(event.data["requestedBy"] == "somebody")
                        #expect(event.properties.messageID == event.id)
                        let arrival = try #require(
                            try await scene.simulator.arrivals(of: "\(scene.application)").first
                        )
                        #expect(arrival.correlationID == correlationID)
                        #expect(arrival.traceparent == traceparent && arrival.tracestate == "vendor=value")
                        #expect(arrival.requestID == event.data["api"]?["requestId"]?.string)
                    }
                }
            }
        }

        @Test func aReplyGoesWhereTheCommandAsksForItAndNeverToAQueueOfOurs() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        try await scene.broker.connect { connection in
                            let channel = try await connection.openChannel()
                            let queue = try await channel.declare(.privateQueue).name
                            let replies = try await channel.consume(queue)
                            let asked = try await platform.publish(platform.command("grant"), replyTo: queue)
                            var iterator = replies.deliveries.makeAsyncIterator()
                            let reply = try #require(try await iterator.next()?.first)
                            let event = try await platform.event(asked)
                            #expect(reply.body == .complete(event.json.bytes))
                            #expect(reply.properties.correlationID == asked)
                            #expect(reply.properties.messageID == event.id && reply.exchange.isEmpty)
                        }
                        // Nobody waits for this one: the command ends all the same.
                        let lost = try await platform.publish(platform.command("revoke"), replyTo: "nowhere")
                        #expect(try await platform.event(lost).outcome == "succeeded")
                        _ = try await eventually("the lost reply is told") {
                            worker.log.contains("a reply was lost") ? true : nil
                        }
                        let own = try await platform.publish(
                            platform.command("grant"),
                            replyTo: Topology.Name.deadLetters
                        )
                        let refused = try await platform.event(own)
                        #expect(refused.outcome == "rejected" && refused.category == "invalidCommand")
                        #expect(refused.json.text.contains("the property reply_to must not begin with consent."))
                        #expect(try await platform.takeDeadLetters().count == 1)
                    }
                }
            }
        }

        @Test func aDryRunShowsTheRequestAndSendsNone() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let event = try await platform.event(
                            platform.publish(platform.command("grant", ["dryRun": true]))
                        )
                        #expect(event.outcome == "succeeded" && event.effect == "planned")
                        let request = try #require(event.data["result"]?["requests"]?.array?.first)
                        #expect(request["method"] == "POST")
                        #expect(try await scene.simulator.arrivals(of: "\(scene.application)").isEmpty)
                    }
                }
            }
        }

        @Test func aPassedDeadlineExpiresWithoutARequest() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let event = try await platform.event(
                            platform.publish(platform.command("grant", ["deadline": "2020-01-01T00:00:00Z"]))
                        )
                        #expect(event.outcome == "expired" && event.category == "deadlineExceeded")
                        #expect(try await scene.simulator.arrivals(of: "\(scene.application)").isEmpty)
                        #expect(try await platform.takeDeadLetters().isEmpty)
                    }
                }
            }
        }
    }
}
