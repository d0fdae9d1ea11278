import AMQP
import ConsentContract

/// Reads a message as a command and checks that it came by the right way.
enum CommandAdmission {
    /// A command from an application's own queue.
    static func admit(_ delivery: AMQPDelivery, to applicationID: GUID) throws(Rejection) -> Command {
        let command = try read(delivery)
        // Published straight to the queue, the key is its name and says nothing about the customer.
        if delivery.exchange.isEmpty && delivery.routingKey == Topology.Name.commandQueue(applicationID) {
            guard command.applicationID == applicationID else {
                throw rejection(
                    command,
                    .routingKeyMismatch,
                    .root / "applicationId",
                    "is not the application of the queue \(delivery.routingKey)"
                )
            }
        } else {
            try checkRoutingKey(command, delivery)
        }
        return command
    }

    /// Why a message that no queue was bound for is refused.
    static func refusal(of delivery: AMQPDelivery, configured: Set<GUID>) -> Rejection {
        do throws(Rejection) {
            let command = try read(delivery)
            try checkRoutingKey(command, delivery)
            let reason =
                configured.contains(command.applicationID)
                ? "had no queue when the command was published; publish it again"
                : "is not configured in this worker"
            return rejection(command, .applicationNotConfigured, .root / "applicationId", reason)
        } catch {
            return error
        }
    }

    private static func read(_ delivery: AMQPDelivery) throws(Rejection) -> Command {
        switch delivery.body {
        case .tooLarge(let bytes):
            throw Rejection(category: .bodyTooLarge, faults: [CommandDecoder.tooLarge(bytes: bytes)])
        case .complete(let body):
            let command = try CommandDecoder.decode(body)
            guard delivery.properties.replyTo == nil || replyAddress(of: delivery) != nil else {
                throw rejection(
                    command,
                    .invalidCommand,
                    .root,
                    "the property reply_to must not begin with \(ownPrefix)"
                )
            }
            return command
        }
    }

    /// The names of what the worker itself works on.
    private static let ownPrefix = "consent."

    /// The queue that wants the answer too; nil if none does, or if it is one of ours: a publisher who may not write
    /// to it must not have the worker do it.
    static func replyAddress(of delivery: AMQPDelivery) -> String? {
        delivery.properties.replyTo.flatMap { $0.isEmpty || $0.hasPrefix(ownPrefix) ? nil : $0 }
    }

    private static func checkRoutingKey(_ command: Command, _ delivery: AMQPDelivery) throws(Rejection) {
        let key = delivery.routingKey
        guard key != "\(command.applicationID).\(command.customerID)" else { return }
        throw rejection(
            command,
            .routingKeyMismatch,
            .root,
            "the routing key \(key.prefix(128)) is not <applicationId>.<customerId> of the body"
        )
    }

    private static func rejection(
        _ command: Command,
        _ category: ErrorCategory,
        _ pointer: JSONPointer,
        _ reason: String
    ) -> Rejection {
        Rejection(category: category, faults: [Fault(pointer, reason)], readable: .init(command))
    }
}
