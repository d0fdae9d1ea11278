package import AMQP
package import ConsentContract

/// The exchanges, queues and bindings that the worker works on.
package struct Topology: Sendable {
    package enum Name {
        package static let commands = "consent.commands"
        package static let unroutable = "consent.unroutable"
        package static let events = "consent.events"
        package static let unclaimed = "consent.events.unclaimed"
        package static let deadLetters = "consent.dead-letters"
        package static let control = "consent.control"
        /// Begins the names of queues for pods' answers.
        package static let status = "consent.status"

        package static func commandQueue(_ application: GUID) -> String { "consent.commands.\(application)" }
        package static func pauseQueue(_ application: GUID) -> String { "consent.paused.\(application)" }
        package static func ownerQueue(_ application: GUID) -> String { "consent.owner.\(application)" }
    }

    let applications: [GUID]
    package let exchanges: [AMQPExchange]
    package let queues: [AMQPQueue]
    package let bindings: [AMQPBinding]

    package init(applications: [GUID]) {
        self.applications = applications
        exchanges = [
            AMQPExchange(Name.unroutable, type: "fanout"),
            AMQPExchange(
                Name.commands,
                type: "topic",
                arguments: ["alternate-exchange": .string(Name.unroutable)]
            ),
            AMQPExchange(Name.unclaimed, type: "fanout"),
            AMQPExchange(Name.events, type: "topic", arguments: ["alternate-exchange": .string(Name.unclaimed)]),
            AMQPExchange(Name.deadLetters, type: "fanout"),
            AMQPExchange(Name.control, type: "fanout"),
        ]
        queues =
            [
                Self.quorum(Name.unroutable),
                // Nobody reads this one as a rule: bounded, the oldest go first.
                Self.quorum(Name.unclaimed, ["x-max-length": 100_000, "x-overflow": "drop-head"]),
                Self.quorum(Name.deadLetters),
            ] + applications.map { Self.quorum(Name.commandQueue($0)) }
            // One message says that the application is paused, as well as several.
            + applications.map { Self.quorum(Name.pauseQueue($0), ["x-max-length": 1]) }
            + applications.map {
                // One pod at a time is delivered the token. Of unbounded length: an overflow would drop the one that
                // a lost owner has just left behind.
                Self.quorum(Name.ownerQueue($0), ["x-single-active-consumer": true])
            }
        bindings =
            [Name.unroutable, Name.unclaimed, Name.deadLetters].map {
                AMQPBinding(queue: $0, exchange: $0, routingKey: "")
            }
            + applications.map {
                AMQPBinding(queue: Name.commandQueue($0), exchange: Name.commands, routingKey: "\($0).#")
            }
    }

    /// The delivery limit is out of reach but positive: RabbitMQ 4 drops after 20 deliveries by default, and 3.x reads
    /// -1 as 0. Closed channels raise the count of messages that never did anything wrong.
    private static func quorum(_ name: String, _ arguments: AMQPTable = [:]) -> AMQPQueue {
        let own: AMQPTable = ["x-queue-type": "quorum", "x-delivery-limit": 2_147_483_647]
        return AMQPQueue(name, arguments: own.merging(arguments) { $1 })
    }
}
