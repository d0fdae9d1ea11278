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
    let commandQueues: [CommandQueue]
    package let exchanges: [AMQPExchange]
    package let queues: [AMQPQueue]
    package let bindings: [AMQPBinding]

    /// The queue of an application's commands.
    struct CommandQueue {
        let application: GUID
        let ordering: Configuration.Ordering

        /// An owner takes its commands alone already. That its queue knows it keeps the order where the broker takes a
        /// lost node's consumer for alive again: it would be delivered what comes after the owner's.
        var queue: AMQPQueue {
            quorum(Name.commandQueue(application), ordering == .customer ? ["x-single-active-consumer": true] : [:])
        }

        /// The same as the other ordering has it.
        var other: CommandQueue {
            CommandQueue(application: application, ordering: ordering == .customer ? .none : .customer)
        }

        var binding: AMQPBinding {
            AMQPBinding(queue: queue.name, exchange: Name.commands, routingKey: "\(application).#")
        }
    }

    package init(_ configured: [Configuration.Application]) {
        let applications = configured.map(\.applicationID)
        let commandQueues = configured.map { CommandQueue(application: $0.applicationID, ordering: $0.ordering) }
        self.applications = applications
        self.commandQueues = commandQueues
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
            ] + commandQueues.map(\.queue)
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
            + commandQueues.map(\.binding)
    }

    /// The delivery limit is out of reach but positive: RabbitMQ 4 drops after 20 deliveries by default, and 3.x reads
    /// -1 as 0. Closed channels raise the count of messages that never did anything wrong.
    private static func quorum(_ name: String, _ arguments: AMQPTable = [:]) -> AMQPQueue {
        let own: AMQPTable = ["x-queue-type": "quorum", "x-delivery-limit": 2_147_483_647]
        return AMQPQueue(name, arguments: own.merging(arguments) { $1 })
    }
}
