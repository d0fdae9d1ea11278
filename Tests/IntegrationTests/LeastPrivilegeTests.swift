import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// The users, permissions, policies and topology of `deploy/rabbitmq`, on a broker that has nothing else.
    @Suite(.timeLimit(.minutes(5)))
    struct LeastPrivilegeTests {
        private typealias User = ShippedBroker.User

        @Test func theShippedTopologyIsWhatIsPrinted() async throws {
            try await Scene.run(application: ShippedBroker.application) { scene in
                try scene.configure()
                let result = try await scene.commandLine("declare-topology", "--print")
                #expect(result.status == 0)
                #expect(try JSONParser.parse(Array(result.output.utf8.dropLast())) == ShippedBroker.topology)
                try await scene.declareTopology()
            }
        }

        @Test(arguments: ["customer", "none"])
        func everyUserDoesItsOwnWorkAndNoMore(ordering: String) async throws {
            try await ShippedBroker.run { shipped in
                try await Scene.run(broker: shipped.broker, application: ShippedBroker.application) { scene in
                    for user in User.allCases {
                        await #expect(throws: AMQPError.self, "\(user) has no password yet") {
                            try await shipped.broker.connect(to: shipped.url(of: user)) { _ in }
                        }
                    }
                    try await shipped.setPasswords()
                    try await Self.addPolicyForAllQueues(shipped.broker)
                    try scene.configure(
                        application: ["ordering: \(ordering)"],
                        amqp: "amqp: {url: \"\(shipped.url(of: .worker))\", heartbeat: 5s}"
                    )
                    try await shipped.broker.connect(to: shipped.url(of: .events)) { connection in
                        let desk = Desk(shipped: shipped, scene: scene, events: try await EventReader(connection))
                        let worker = try await scene.startWorker()
                        try await desk.publishAndRead()
                        try await desk.pauseAndResume(worker)
                        try await desk.askForStatus()
                        try await desk.replayDeadLetter()
                        try await desk.publishFromTheCommandLine()
                        for attempt in Self.forbidden(scene.application) {
                            let isRefused = try await shipped.refuses(attempt.user, attempt.action)
                            #expect(isRefused, "\(attempt.user) \(attempt.what)")
                        }
                        try await desk.publishAndRead()
                        let complaints = worker.log.split(separator: "\n").filter { $0.contains("ACCESS_REFUSED") }
                        #expect(complaints.isEmpty, "the worker lacks a right")
                        #expect(!worker.log.contains("password-of"))
                        #expect(await worker.stop() == 0)
                    }
                    let all = try await ChildProcess.run(
                        "\(Checkout.binaries)/consent-worker",
                        ["declare-topology", "--config", scene.configurationFile],
                        environment: ["CONSENT_AMQP_URL": shipped.broker.url]
                    )
                    #expect(all.status == 0, "what was imported is what a worker would declare: \(all.errors)")
                }
            }
        }

        /// Loses what lies in a queue, unless the shipped policies keep it off.
        private static func addPolicyForAllQueues(_ broker: PrivateBroker) async throws {
            try await broker.ctl(
                "set_policy",
                "all",
                "^(consent|proof)\\.",
                #"{"message-ttl": 1, "max-length": 1}"#,
                "--apply-to",
                "queues"
            )
            try await broker.connect { connection in
                let channel = try await connection.openChannel()
                let queue = AMQPQueue("proof.queue")
                try await channel.declare(queue)
                try await channel.selectConfirms()
                _ = try await channel.publish(AMQPMessage(exchange: "", routingKey: queue.name, body: [1]))
                _ = try await eventually("the policy works where nothing keeps it off") {
                    try await channel.declare(queue).messages == 0 ? true : nil
                }
            }
        }

        // MARK: - What is forbidden

        private struct Attempt: Sendable {
            let user: User
            let what: String
            let action: @Sendable (AMQPChannel) async throws -> Void

            init(_ user: User, _ what: String, _ action: @escaping @Sendable (AMQPChannel) async throws -> Void) {
                self.user = user
                self.what = what
                self.action = action
            }

            static func take(_ user: User, from queue: String) -> Attempt {
                Attempt(user, "takes from \(queue)") { channel in
                    try await channel.get(queue)?.reject(requeue: true)
                }
            }

            static func publish(_ user: User, to exchange: String, _ key: String = "key") -> Attempt {
                Attempt(user, "publishes to \"\(exchange)\" with \(key)") { channel in
                    let message = AMQPMessage(exchange: exchange, routingKey: key, mandatory: false, body: [])
                    _ = try await channel.publish(message)
                }
            }

            static func delete(_ user: User, _ queue: String) -> Attempt {
                Attempt(user, "deletes \(queue)") { try await $0.deleteQueue(queue) }
            }

            static func declare(_ user: User, _ queue: AMQPQueue) -> Attempt {
                Attempt(user, "declares \(queue.name)") { _ = try await $0.declare(queue) }
            }

            static func bind(_ user: User, _ queue: AMQPQueue, to exchange: String) -> Attempt {
                Attempt(user, "binds its queue to \(exchange)") { channel in
                    let name = try await channel.declare(queue).name
                    try await channel.bind(AMQPBinding(queue: name, exchange: exchange, routingKey: "#"))
                }
            }
        }

        private static func forbidden(_ application: GUID) -> [Attempt] {
            typealias Name = Topology.Name
            let commands = Name.commandQueue(application)
            let owner = Name.ownerQueue(application)
            let another = AMQPQueue(Name.commandQueue(.random()))
            return [
                .take(.publisher, from: commands), .take(.publisher, from: Name.deadLetters),
                .publish(.publisher, to: Name.events), .publish(.publisher, to: Name.control),
                .publish(.publisher, to: "", owner), .delete(.publisher, commands),
                .declare(.publisher, .privateQueue),

                .publish(.events, to: Name.commands), .publish(.events, to: Name.events),
                .publish(.events, to: "", commands), .take(.events, from: commands),
                .take(.events, from: Name.unclaimed), .delete(.events, Name.unclaimed),
                .bind(.events, .privateQueue, to: Name.commands), .bind(.events, .privateQueue, to: Name.control),

                .publish(.worker, to: Name.commands), .take(.worker, from: Name.deadLetters),
                .take(.worker, from: Name.pauseQueue(application)), .take(.worker, from: Name.unclaimed),
                .take(.worker, from: EventReader.queue), .delete(.worker, commands), .delete(.worker, owner),
                .delete(.worker, Name.deadLetters), .declare(.worker, another), .declare(.worker, .privateQueue),
                Attempt(.worker, "deletes an exchange") { try await $0.deleteExchange(Name.events) },

                .take(.operator, from: commands), .take(.operator, from: owner),
                .take(.operator, from: "consent.permits.partner-center.\(application)"),
                .publish(.operator, to: Name.events), .publish(.operator, to: Name.deadLetters),
                .delete(.operator, commands), .delete(.operator, Name.deadLetters), .declare(.operator, another),
                .bind(.operator, AMQPQueue("\(Name.status).x", exclusive: true), to: Name.control),
                .take(.operator, from: EventReader.queue),
            ]
        }
    }
}

/// What each of the users is for, done by it.
private struct Desk {
    let shipped: ShippedBroker
    let scene: Scene
    let events: EventReader

    private static let grant = ["--grant", "00000003-0000-0000-c000-000000000000=User.Read"]

    /// Publishes a grant; returns its correlation ID.
    private func publish(as user: ShippedBroker.User = .publisher, _ arguments: String...) async throws -> String {
        let id = "c-\(GUID.random())"
        let result = try await shipped.commandLine(
            scene,
            as: user,
            ["publish", "grant", "--partner", "\(scene.partner)", "--customer", Platform.customer(1)]
                + ["--correlation-id", id] + Self.grant + arguments
        )
        #expect(result.status == 0, "\(result)")
        return id
    }

    private func operate(_ arguments: String...) async throws -> ChildProcess.Result {
        let result = try await shipped.commandLine(scene, as: .operator, arguments)
        #expect(result.status == 0, "\(arguments): \(result)")
        return result
    }

    func publishAndRead() async throws {
        let command = try await publish()
        try await events.wait(for: ["succeeded"], of: command)
    }

    func pauseAndResume(_ worker: WorkerProcess) async throws {
        _ = try await operate("pause", "\(scene.application)")
        _ = try await eventually("the worker knows") {
            try await worker.probe("readyz")?.body["paused"]?.array?.count == 1 ? true : nil
        }
        let command = try await publish()
        #expect(events.outcomes(command).isEmpty)
        _ = try await operate("resume", "\(scene.application)")
        try await events.wait(for: ["succeeded"], of: command)
    }

    func askForStatus() async throws {
        let result = try await operate("status", "--json")
        let report = try JSONParser.parse(Array(result.output.utf8.dropLast()))
        #expect(report["workers"]?.array?.count == 1, "\(report.text)")
        #expect(report["applications"]?.array?.count == 1)
    }

    func replayDeadLetter() async throws {
        try await scene.simulator.inject([
            "match": ["kind": "grant"], "times": 1, "action": ["status": ["status": 403]],
        ])
        let command = try await publish()
        try await events.wait(for: ["failed"], of: command)
        _ = try await eventually("the letter follows the event") {
            try await operate("dead-letters", "list", "--json").output.contains(command) ? true : nil
        }
        _ = try await operate("dead-letters", "replay")
        try await events.wait(for: ["failed", "succeeded"], of: command)
        #expect(try await operate("dead-letters", "list", "--json").output.isEmpty)
    }

    /// What needs a queue of one's own.
    func publishFromTheCommandLine() async throws {
        let waited = try await publish(as: .operator, "--wait")
        try await events.wait(for: ["succeeded"], of: waited)
        let file = "\(scene.folder)/customers.csv"
        try "customerId\n\(Platform.customer(2))\n".write(toFile: file, atomically: true, encoding: .utf8)
        let grant = Self.grant
        let result = try await shipped.commandLine(
            scene,
            as: .operator,
            ["publish", "grant", "--from", file, "--partner", "\(scene.partner)"] + grant
        )
        #expect(result.status == 0 && result.output.contains("1 succeeded"), "\(result)")

        let shown = try ChildProcess(
            "\(Checkout.binaries)/consent-worker",
            ["events", "--count", "1", "--config", scene.configurationFile],
            logFile: "\(scene.folder)/events.log",
            environment: ["CONSENT_AMQP_URL": shipped.url(of: .events)]
        )
        _ = try await eventually("it listens") { shown.log.contains("Waiting for events") ? true : nil }
        try await publishAndRead()
        #expect(try await shown.waitForExit() == 0, "\(shown.log)")
    }
}
