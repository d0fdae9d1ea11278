import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import NIOConcurrencyHelpers

/// The rest of the platform, as the tests play it: publishes commands and collects every event of one application.
final class Platform: Sendable {
    struct Event: Sendable {
        let routingKey: String
        let properties: AMQPProperties
        let json: JSONValue

        var data: JSONValue { json["data"] ?? .null }
        var outcome: String { data["outcome"]?.string ?? "" }
        var effect: String { data["effect"]?.string ?? "" }
        var category: String? { data["error"]?["category"]?.string }
        var correlationID: String { properties.correlationID ?? "" }
        var id: String { json["id"]?.string ?? "" }
    }

    private let scene: Scene
    private let connection: AMQPConnection
    private let channel: AMQPChannel
    private let received = NIOLockedValueBox<[Event]>([])
    private let lettersTaken = NIOLockedValueBox(0)

    /// Connects, collects events while `body` runs, and afterwards holds every event against its JSON Schema, unless
    /// they are too many for that.
    static func run<Value>(_ scene: Scene, validating: Bool = true, _ body: (Platform) async throws -> Value)
        async throws -> Value
    {
        try await scene.broker.connect { connection in
            let channel = try await connection.openChannel()
            try await channel.selectConfirms()
            let platform = Platform(scene, connection, channel)
            let queue = try await channel.declare(.privateQueue).name
            for key in scene.applications.map({ "*.*.\($0)" }) + ["*.rejected.#"] {
                try await channel.bind(AMQPBinding(queue: queue, exchange: Topology.Name.events, routingKey: key))
            }
            let consumer = try await channel.consume(queue)
            let collecting = Task { try await platform.collect(consumer) }
            defer { collecting.cancel() }
            let value = try await body(platform)
            if validating { try await platform.validateEvents() }
            return UncheckedValue(value)
        }.value
    }

    private init(_ scene: Scene, _ connection: AMQPConnection, _ channel: AMQPChannel) {
        self.scene = scene
        self.connection = connection
        self.channel = channel
    }

    private func collect(_ consumer: AMQPConsumer) async throws {
        for try await batch in consumer.deliveries {
            for delivery in batch {
                guard case .complete(let body) = delivery.body else { continue }
                let event = Event(
                    routingKey: delivery.routingKey,
                    properties: delivery.properties,
                    json: (try? JSONParser.parse(body)) ?? .null
                )
                received.withLockedValue { $0.append(event) }
                scene.emit(String(decoding: body, as: UTF8.self), "\(delivery.properties)")
                delivery.ack()
            }
        }
    }

    // MARK: - Commands

    /// A customer by number, the same in every test.
    static func customer(_ number: Int) -> String {
        let digits = String(number)
        return "33333333-3333-4333-8333-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    func command(
        _ kind: String,
        application: GUID? = nil,
        partner: GUID? = nil,
        customer: String = Platform.customer(1),
        id: GUID = .random(),
        _ members: [String: JSONValue] = [:]
    ) -> JSONValue {
        var object = JSONObject()
        object.append("command", .string(kind))
        object.append("commandId", .string(id.description))
        object.append("partnerTenantId", .string((partner ?? scene.partner).description))
        object.append("customerId", .string(customer))
        object.append("applicationId", .string((application ?? scene.application).description))
        if kind == "grant" && members["applicationGrants"] == nil {
            object.append(
                "applicationGrants",
                [["enterpriseApplicationId": "00000003-0000-0000-c000-000000000000", "scope": "User.Read"]]
            )
        }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) { object.append(name, value) }
        return .object(object)
    }

    /// Publishes with confirms; a command's routing key follows from its body.
    @discardableResult
    func publish(
        _ command: JSONValue,
        correlationID: String? = nil,
        routingKey: String? = nil,
        replyTo: String? = nil,
        headers: AMQPTable = [:]
    ) async throws -> String {
        let correlationID = correlationID ?? UUID().uuidString.lowercased()
        let key = routingKey ?? Self.routingKey(command)
        try await publish(
            command.bytes,
            correlationID: correlationID,
            routingKey: key,
            replyTo: replyTo,
            headers: headers
        )
        return correlationID
    }

    func publish(
        _ body: [UInt8],
        correlationID: String,
        exchange: String = Topology.Name.commands,
        routingKey: String,
        replyTo: String? = nil,
        headers: AMQPTable = [:]
    ) async throws {
        var properties = AMQPProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 2
        properties.correlationID = correlationID
        properties.replyTo = replyTo
        properties.headers = headers
        let outcome = try await channel.publish(
            AMQPMessage(exchange: exchange, routingKey: routingKey, properties: properties, body: body)
        )
        if outcome != .confirmed { throw TestFailure("the command was not taken: \(outcome)") }
    }

    private static func routingKey(_ command: JSONValue) -> String {
        "\(command["applicationId"]?.string ?? "").\(command["customerId"]?.string ?? "")"
    }

    /// Publishes many commands, in order, without waiting for each confirm.
    func publishAll(_ commands: [(command: JSONValue, correlationID: String)]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, item) in commands.enumerated() {
                if index >= 200 { try await group.next() }
                let key = Self.routingKey(item.command)
                // The call that queues the message runs here, in order; only its confirm is awaited elsewhere.
                let confirm = enqueue(item.command.bytes, item.correlationID, key)
                group.addTask { try await confirm() }
            }
            try await group.waitForAll()
        }
    }

    private func enqueue(_ body: [UInt8], _ correlationID: String, _ key: String) -> @Sendable () async throws -> Void {
        var properties = AMQPProperties()
        properties.deliveryMode = 2
        properties.correlationID = correlationID
        let pending = channel.startPublishing(
            AMQPMessage(exchange: Topology.Name.commands, routingKey: key, properties: properties, body: body)
        )
        return { _ = try await pending.outcome() }
    }

    // MARK: - Events

    var events: [Event] { received.withLockedValue { $0 } }

    func event(_ correlationID: String, within limit: Duration = .seconds(60)) async throws -> Event {
        try await eventually("the event of \(correlationID)", within: limit) {
            events.first { $0.correlationID == correlationID }
        }
    }

    /// Waits until that many different commands have their event.
    func waitForEvents(_ count: Int, within limit: Duration) async throws {
        _ = try await eventually(
            "\(count) events; there are \(Set(events.map(\.correlationID)).count)",
            within: limit,
            every: .milliseconds(100)
        ) {
            Set(events.map(\.correlationID)).count >= count ? true : nil
        }
    }

    /// Ready messages in a queue.
    func depth(_ queue: String) async throws -> Int {
        let channel = try await connection.openChannel()
        let status = try await channel.declare(AMQPQueue(queue, passive: true))
        try await channel.close()
        return status.messages
    }

    var commandQueue: String { Topology.Name.commandQueue(scene.application) }

    /// Takes everything out of the dead letters, once every event that has one got it: the letter follows the event.
    func takeDeadLetters() async throws -> [AMQPDelivery] {
        let channel = try await connection.openChannel()
        let due = events.count { ["failed", "rejected"].contains($0.outcome) } - lettersTaken.withLockedValue { $0 }
        var letters: [AMQPDelivery] = []
        _ = try await eventually("\(due) dead letters") {
            while let letter = try await channel.get(Topology.Name.deadLetters) {
                letter.ack()
                if case .complete(let body) = letter.body { scene.emit(String(decoding: body, as: UTF8.self)) }
                scene.emit("\(letter.properties)")
                letters.append(letter)
            }
            return letters.count >= due ? true : nil
        }
        lettersTaken.withLockedValue { $0 += letters.count }
        try await channel.close()
        return letters
    }

    private func validateEvents() async throws {
        let lines = events.map(\.json.text).joined(separator: "\n")
        let result = try await ChildProcess.run(
            "/usr/bin/python3",
            ["\(Checkout.root)/Tests/Contract/validate_schemas.py", "--events"],
            input: lines + "\n"
        )
        if result.status != 0 {
            throw TestFailure("events do not validate:\n\(result.output.suffix(2000))\(result.errors)")
        }
    }
}

private struct UncheckedValue<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
