import AMQP
import EventLoop
import Foundation
import NIOConcurrencyHelpers
import Testing

extension IntegrationTests {
    /// The AMQP client against a real broker.
    @Suite(.timeLimit(.minutes(5)))
    struct BrokerClientTests {
        private func withChannel(_ body: (AMQPConnection, AMQPChannel, String) async throws -> Void) async throws {
            guard let broker = PrivateBroker.shared else { throw TestFailure("outside the integration suite") }
            try await broker.connect { connection in
                let channel = try await connection.openChannel()
                try await channel.selectConfirms()
                let queue = try await channel.declare(.privateQueue).name
                try await body(connection, channel, queue)
            }
        }

        // Untyped throws: the expectation macros cannot carry typed ones.

        private func publish(_ message: AMQPMessage, on channel: AMQPChannel) async throws -> AMQPChannel.PublishOutcome
        {
            try await channel.publish(message)
        }

        private func outcome(of pending: AMQPChannel.PendingPublish) async throws -> AMQPChannel.PublishOutcome {
            try await pending.outcome()
        }

        private func get(_ queue: String, on channel: AMQPChannel) async throws -> AMQPDelivery? {
            try await channel.get(queue)
        }

        private func depth(_ queue: String, on channel: AMQPChannel) async throws -> Int {
            try await channel.declare(AMQPQueue(queue, passive: true)).messages
        }

        private func message(_ queue: String, _ text: String, _ headers: AMQPTable = [:]) -> AMQPMessage {
            var properties = AMQPProperties()
            properties.headers = headers
            properties.messageID = text
            return AMQPMessage(exchange: "", routingKey: queue, properties: properties, body: Array(text.utf8))
        }

        @Test func propertiesAndHeadersOfEveryTypeSurviveTheWayThere() async throws {
            try await withChannel { _, channel, queue in
                var properties = AMQPProperties()
                properties.contentType = "application/json"
                properties.correlationID = "Zürich ☂"
                properties.replyTo = "somewhere"
                properties.messageID = "m-1"
                properties.type = "t"
                properties.timestamp = 1_700_000_000
                properties.deliveryMode = 2
                properties.headers = [
                    "null": .null, "bool": true, "int": -7, "large": .int(.max), "double": .double(1.5),
                    "string": "text", "bytes": .bytes([0, 255, 1]), "time": .timestamp(5),
                    "array": .array([1, "two", .array([])]), "table": .table(["inner": .table(["deep": false])]),
                    "empty": .string(""),
                ]
                let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                let outcome = try await channel.publish(
                    AMQPMessage(exchange: "", routingKey: queue, properties: properties, body: body)
                )
                #expect(outcome == .confirmed)
                let delivery = try #require(try await get(queue, on: channel))
                #expect(delivery.properties == properties)
                #expect(delivery.body == .complete(body))
                #expect(!delivery.redelivered && delivery.routingKey == queue)
                #expect(try await get(queue, on: channel) == nil)
            }
        }

        @Test func anUnroutableMandatoryMessageIsReturnedAndOthersAreConfirmed() async throws {
            try await withChannel { _, channel, queue in
                let pending = (0..<50).map { index in
                    channel.startPublishing(
                        message(index % 2 == 0 ? queue : "nowhere", "m-\(index)")
                    )
                }
                for (index, publish) in pending.enumerated() {
                    let outcome = try await publish.outcome()
                    if index % 2 == 0 {
                        #expect(outcome == .confirmed, "\(index)")
                    } else {
                        #expect(outcome != .confirmed, "\(index)")
                    }
                }
            }
        }

        @Test func aRefusedMessageIsNackedNotLost() async throws {
            try await withChannel { _, channel, _ in
                let name = "refusing-\(UUID().uuidString)"
                try await channel.declare(
                    AMQPQueue(name, exclusive: true, arguments: ["x-max-length": 1, "x-overflow": "reject-publish"])
                )
                #expect(try await publish(message(name, "first"), on: channel) == .confirmed)
                let error = await #expect(throws: AMQPError.self) {
                    try await publish(message(name, "second"), on: channel)
                }
                #expect(error?.code == .nacked)
                #expect(try await get(name, on: channel)?.body == .complete(Array("first".utf8)))
            }
        }

        @Test func thousandsOfPublishesAreConfirmedInWhateverBatchesTheBrokerChooses() async throws {
            try await withChannel { _, channel, queue in
                let pending = (0..<5000).map { channel.startPublishing(message(queue, "m-\($0)")) }
                var confirmed = 0
                for publish in pending where try await outcome(of: publish) == .confirmed { confirmed += 1 }
                let depth = try await depth(queue, on: channel)
                #expect(confirmed == 5000 && depth == 5000)
            }
        }

        @Test func aDeletedQueueEndsItsConsumerWithAReason() async throws {
            try await withChannel { connection, channel, _ in
                let name = "deleted-\(UUID().uuidString)"
                try await channel.declare(AMQPQueue(name))
                let consumer = try await channel.consume(name)
                try await connection.openChannel().deleteQueue(name)
                let error = await #expect(throws: AMQPError.self) {
                    for try await _ in consumer.deliveries {}
                }
                #expect(error?.code == .consumerCancelled)
            }
        }

        @Test func aChannelThatTheBrokerClosesLeavesTheOthersAlone() async throws {
            try await withChannel { connection, channel, queue in
                let other = try await connection.openChannel()
                let error = await #expect(throws: AMQPError.self) {
                    try await other.declare(AMQPQueue("never-declared", passive: true))
                }
                #expect(error?.code == .channelClosed && error?.replyCode == AMQPReplyCode.notFound)
                await #expect(throws: AMQPError.self) { try await other.setPrefetch(1) }
                #expect(try await publish(message(queue, "still here"), on: channel) == .confirmed)
            }
        }

        @Test func anAcknowledgementFromAClosedChannelIsDroppedAndHarmsNobody() async throws {
            try await withChannel { connection, channel, queue in
                #expect(try await publish(message(queue, "m"), on: channel) == .confirmed)
                let first = try await connection.openChannel()
                let delivery = try #require(try await get(queue, on: first))
                try await first.close()
                // The number is free again and is taken by the next channel.
                let second = try await connection.openChannel()
                delivery.ack()
                let again = try #require(try await get(queue, on: second))
                #expect(again.redelivered)
                again.ack()
                try await second.synchronize()
                #expect(try await get(queue, on: second) == nil)
            }
        }

        @Test func prefetchBoundsWhatIsUnsettled() async throws {
            try await withChannel { connection, channel, queue in
                for index in 0..<20 {
                    #expect(try await publish(message(queue, "\(index)"), on: channel) == .confirmed)
                }
                let consuming = try await connection.openChannel()
                try await consuming.setPrefetch(5)
                let consumer = try await consuming.consume(queue)
                var received: [AMQPDelivery] = []
                for try await batch in consumer.deliveries {
                    received += batch
                    if received.count >= 5 { break }
                }
                #expect(received.count == 5)
                #expect(try await depth(queue, on: channel) == 15)
            }
        }

        @Test func aBodyOverTheBoundIsDiscardedAndItsDeliveryCanBeSettled() async throws {
            guard let broker = PrivateBroker.shared else { throw TestFailure("outside the integration suite") }
            let loop = EventLoop(name: "small")
            defer { loop.stop() }
            var options = AMQPOptions()
            options.maximumBodyBytes = 1000
            let connection = try await AMQPConnection.open(
                AMQPEndpoint(uri: broker.url),
                options: options,
                name: "small",
                loop: loop,
                logger: .silent
            )
            let channel = try await connection.openChannel()
            try await channel.selectConfirms()
            let queue = try await channel.declare(.privateQueue).name
            for size in [1000, 1001, 500_000] {
                let body = [UInt8](repeating: 7, count: size)
                #expect(
                    try await publish(AMQPMessage(exchange: "", routingKey: queue, body: body), on: channel)
                        == .confirmed
                )
                let delivery = try #require(try await get(queue, on: channel))
                #expect(delivery.body == (size <= 1000 ? .complete(body) : .tooLarge(bytes: UInt64(size))))
                delivery.ack()
            }
            try await channel.synchronize()
            await connection.close()
        }

        @Test func aLostBrokerEndsEverythingThatWaits() async throws {
            let broker = try await PrivateBroker()
            do {
                let loop = EventLoop(name: "lost")
                defer { loop.stop() }
                let connection = try await AMQPConnection.open(
                    AMQPEndpoint(uri: broker.url),
                    options: AMQPOptions(),
                    name: "lost",
                    loop: loop,
                    logger: .silent
                )
                let channel = try await connection.openChannel()
                let queue = try await channel.declare(.privateQueue).name
                let consumer = try await channel.consume(queue)
                try await broker.kill()
                let end = try await connection.waitUntilClosed()
                #expect(end.code == .connectionLost)
                await #expect(throws: AMQPError.self) { for try await _ in consumer.deliveries {} }
                await #expect(throws: AMQPError.self) { try await publish(message(queue, "late"), on: channel) }
            } catch {
                try await broker.remove()
                throw error
            }
            try await broker.remove()
        }

        @Test func aRequestOverAFullSocketComesAfterWhatWasSettledBeforeIt() async throws {
            let broker = try await PrivateBroker()
            do {
                try await broker.connect { connection in
                    let channel = try await connection.openChannel()
                    let queue = try await channel.declare(AMQPQueue("settled")).name
                    try await channel.selectConfirms()
                    #expect(try await publish(message(queue, "one"), on: channel) == .confirmed)
                    let delivery = try #require(try await get(queue, on: channel))
                    try await broker.ctl("set_vm_memory_high_watermark", "0.0000001")
                    // More than the kernel holds for a broker that does not read.
                    let body = [UInt8](repeating: 7, count: 8000)
                    for _ in 0..<4000 {
                        _ = channel.startPublishing(AMQPMessage(exchange: "", routingKey: "nowhere", body: body))
                    }
                    delivery.ack()
                    let closing = Task { try await channel.close() }
                    // The connection's thread does not wait for the socket.
                    for _ in 0..<10 { await connection.ping() }
                    try await broker.ctl("set_vm_memory_high_watermark", "0.6")
                    try await closing.value
                    let second = try await connection.openChannel()
                    #expect(try await depth(queue, on: second) == 0)
                }
            } catch {
                try await broker.remove()
                throw error
            }
            try await broker.remove()
        }

        @Test func aBlockedConnectionIsToldAndTakesMessagesAgainAfterwards() async throws {
            let broker = try await PrivateBroker()
            do {
                let loop = EventLoop(name: "blocked")
                defer { loop.stop() }
                let states = NIOLockedValueBox<[Bool]>([])
                let connection = try await AMQPConnection.open(
                    AMQPEndpoint(uri: broker.url),
                    options: AMQPOptions(),
                    name: "blocked",
                    loop: loop,
                    logger: .silent,
                    onBlocked: { blocked in states.withLockedValue { $0.append(blocked) } }
                )
                let channel = try await connection.openChannel()
                try await channel.selectConfirms()
                let queue = try await channel.declare(.privateQueue).name
                try await broker.ctl("set_vm_memory_high_watermark", "0.0000001")
                // The broker tells a connection when it publishes, once the alarm has got around.
                var pending: [AMQPChannel.PendingPublish] = []
                _ = try await eventually("the connection is blocked") {
                    pending.append(channel.startPublishing(message(queue, "while blocked")))
                    return states.withLockedValue { $0.isEmpty } ? nil : true
                }
                try await broker.ctl("set_vm_memory_high_watermark", "0.6")
                _ = try await eventually("the connection takes messages again") {
                    states.withLockedValue { $0.count } < 2 ? nil : true
                }
                #expect(states.withLockedValue { $0 } == [true, false])
                for publish in pending { #expect(try await outcome(of: publish) == .confirmed) }
                await connection.close()
            } catch {
                try await broker.remove()
                throw error
            }
            try await broker.remove()
        }
    }
}
