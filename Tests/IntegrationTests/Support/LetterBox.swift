import AMQP
import ConsentContract
import ConsentWorker
import JSON

/// The dead letters of one scene, put there by the test itself, and what the command line makes of them.
struct LetterBox {
    let scene: Scene
    let platform: Platform

    /// Runs `body` without a worker.
    static func run(_ body: (LetterBox) async throws -> Void) async throws {
        try await Scene.run { scene in
            try scene.configure()
            try await scene.declareTopology()
            try await Platform.run(scene) { platform in
                try await body(LetterBox(scene: scene, platform: platform))
            }
        }
    }

    func put(
        _ commands: [JSONValue],
        _ category: String = "apiUnavailable",
        age: Duration = .zero,
        headers: AMQPTable = [:]
    ) async throws {
        try await put(commands.map(\.bytes), category, age: age, headers: headers)
    }

    /// Puts letters in as a worker does, the body's number in the correlation ID.
    func put(
        _ bodies: [[UInt8]],
        _ category: String,
        age: Duration = .zero,
        headers: AMQPTable = [:]
    ) async throws {
        var properties = AMQPProperties()
        properties.deliveryMode = 2
        properties.contentType = "application/json"
        properties.messageID = "message"
        let time = SystemWallClock().now + (.zero - age)
        properties.headers = headers.merging(
            [
                "consent-category": .string(category), "consent-time": .string(time.description),
                "consent-attempts": 8, "consent-exchange": "consent.commands", "consent-routing-key": "key",
            ]
        ) { own, _ in own }
        try await scene.broker.connect { connection in
            let channel = try await connection.openChannel()
            try await channel.selectConfirms()
            var pending: [AMQPChannel.PendingPublish] = []
            for (index, body) in bodies.enumerated() {
                properties.correlationID = "\(category)-\(index)"
                let letter = AMQPMessage(
                    exchange: Topology.Name.deadLetters,
                    routingKey: category,
                    properties: properties,
                    body: body
                )
                pending.append(channel.startPublishing(letter))
            }
            for publish in pending { _ = try await publish.outcome() }
        }
    }

    /// `dead-letters` with these arguments.
    func tool(_ arguments: [String]) async throws -> ChildProcess.Result {
        try await scene.commandLine(["dead-letters"] + arguments)
    }

    func tool(_ arguments: String...) async throws -> ChildProcess.Result { try await tool(arguments) }

    /// What `list --json` has, in its order.
    func list(_ arguments: String...) async throws -> [JSONValue] {
        let result = try await tool(["list", "--json"] + arguments)
        guard result.status == 0 else { throw TestFailure("list: \(result)") }
        return try Self.lines(result)
    }

    static func lines(_ result: ChildProcess.Result) throws -> [JSONValue] {
        try result.output.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
    }

    /// Empties a queue.
    func take(_ queue: String) async throws -> [AMQPDelivery] {
        try await scene.broker.connect { connection in
            let channel = try await connection.openChannel()
            let count = try await channel.declare(AMQPQueue(queue, passive: true)).messages
            var messages: [AMQPDelivery] = []
            // RabbitMQ does not let one "get" from a queue with a single active consumer.
            let consumer = try await channel.consume(queue)
            var deliveries = consumer.deliveries.makeAsyncIterator()
            while messages.count < count, let batch = try await deliveries.next() {
                for message in batch { message.ack() }
                messages += batch
            }
            try await channel.close()
            return messages
        }
    }

    /// Starts the tool without waiting for its end.
    func start(_ arguments: String...) throws -> ChildProcess {
        try ChildProcess(
            "\(Checkout.binaries)/consent-worker",
            ["dead-letters"] + arguments + ["--config", scene.configurationFile],
            logFile: "\(scene.folder)/dead-letters.log"
        )
    }
}

extension JSONValue {
    /// The members that tell letters apart.
    var letterID: String { "\(self["correlationId"]?.string ?? "") \(self["commandId"]?.string ?? "")" }
}
