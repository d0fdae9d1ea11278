import AMQP
import ConsentContract

extension Topology {
    /// Declares everything; what is there already with the same properties stays as it is. Where the user may not
    /// declare, it is enough that a queue or exchange is there.
    /// - Returns: the applications whose command queue is made for the other ordering. It can be worked on.
    /// - Throws: ``TopologyMismatch`` for all that is missing or has other properties; ``AMQPError``.
    func declare(on connection: AMQPConnection) async throws -> Set<GUID> {
        var mismatches: [String] = []
        var madeForOther: Set<GUID> = []
        for exchange in exchanges {
            var present = exchange
            present.passive = true
            let problem = try await problem(
                on: connection,
                { channel throws(AMQPError) in try await channel.declare(exchange) },
                orPresent: { [present] channel throws(AMQPError) in try await channel.declare(present) }
            )
            if let problem { mismatches.append("the exchange \(exchange.name) \(problem)") }
        }
        for queue in queues {
            guard let problem = try await problem(on: connection, queue) else { continue }
            if let command = commandQueues.first(where: { $0.queue == queue }),
                try await self.problem(on: connection, command.other.queue) == nil
            {
                madeForOther.insert(command.application)
            } else {
                mismatches.append("the queue \(queue.name) \(problem)")
            }
        }
        guard mismatches.isEmpty else { throw TopologyMismatch(mismatches: mismatches) }
        for binding in bindings {
            // Nobody can ask for a binding; whoever declared the queue is trusted to have bound it.
            _ = try await problem(
                on: connection,
                { channel throws(AMQPError) in try await channel.bind(binding) },
                orPresent: { _ throws(AMQPError) in }
            )
        }
        return madeForOther
    }

    /// Makes an idle application's command queue anew, for the ordering that is configured. What is published meanwhile
    /// is unroutable, which its publishers are told.
    /// - Returns: false if it was not idle; it is as before then.
    func remake(commandQueueOf application: GUID, on connection: AMQPConnection) async throws -> Bool {
        guard let command = commandQueues.first(where: { $0.application == application }) else { return false }
        let channel = try await connection.openChannel()
        // Quorum queues cannot be deleted "if empty" or "if unused": nothing may come in after the look at it.
        try await channel.unbind(command.binding)
        do {
            let isIdle = try await Self.isIdle(command.queue.name, on: connection)
            if isIdle {
                try await channel.deleteQueue(command.queue.name)
                try await channel.declare(command.queue)
            }
            try await channel.bind(command.binding)
            try await channel.close()
            return isIdle
        } catch {
            // The failure has closed the channel.
            let other = try await connection.openChannel()
            try? await other.bind(command.binding)
            throw error
        }
    }

    /// Whether nothing is in a queue and nobody else consumes it. RabbitMQ answers 0 for both where a quorum queue's
    /// leader does not (3.10, after 250 ms); that it counts this connection's own consumer tells that the leader does.
    static func isIdle(_ queue: String, on connection: AMQPConnection) async throws -> Bool {
        let channel = try await connection.openChannel()
        let look = AMQPQueue(queue, passive: true)
        let before = try await channel.declare(look)
        guard before.messages == 0, before.consumers == 0 else {
            try await channel.close()
            return false
        }
        try await channel.setPrefetch(1)
        let consumer = try await channel.consume(queue)
        var isIdle = true
        // What the first look finds delivered may still be on its way here; the second answer comes behind it.
        for _ in 0..<2 {
            let status = try await channel.declare(look)
            isIdle = isIdle && status.messages == 0 && status.consumers == 1
        }
        await consumer.endDeliveries()
        for try await _ in consumer.deliveries { isIdle = false }
        await channel.abandon()
        return isIdle
    }

    /// The applications that have no owner queue yet.
    func missingOwnerQueues(on connection: AMQPConnection) async throws(AMQPError) -> Set<GUID> {
        var missing: Set<GUID> = []
        for application in applications {
            let channel = try await connection.openChannel()
            do {
                try await channel.declare(AMQPQueue(Name.ownerQueue(application), passive: true))
                try await channel.close()
            } catch {
                guard error.replyCode == AMQPReplyCode.notFound else { throw error }
                missing.insert(application)
            }
        }
        return missing
    }

    private func problem(on connection: AMQPConnection, _ queue: AMQPQueue) async throws(AMQPError) -> String? {
        var present = queue
        present.passive = true
        return try await problem(
            on: connection,
            { channel throws(AMQPError) in try await channel.declare(queue) },
            orPresent: { [present] channel throws(AMQPError) in try await channel.declare(present) }
        )
    }

    private typealias Step = (AMQPChannel) async throws(AMQPError) -> Void

    /// A channel each, because the broker closes it at a refusal.
    private func problem(
        on connection: AMQPConnection,
        _ declare: Step,
        orPresent lookUp: Step
    ) async throws(AMQPError) -> String? {
        let channel = try await connection.openChannel()
        do {
            try await declare(channel)
            try await channel.close()
            return nil
        } catch {
            switch error.replyCode {
            case AMQPReplyCode.preconditionFailed: return "exists with other properties (\(error))"
            case AMQPReplyCode.accessRefused: break
            default: throw error
            }
        }
        let second = try await connection.openChannel()
        do {
            try await lookUp(second)
            try await second.close()
            return nil
        } catch {
            guard error.replyCode == AMQPReplyCode.notFound else { throw error }
            return "is missing, and the user may not declare it"
        }
    }
}

/// What stands in the broker under our names but is something else.
package struct TopologyMismatch: Error, Sendable, CustomStringConvertible {
    package let mismatches: [String]

    package var description: String {
        mismatches.joined(separator: "; ")
            + ". Delete it once it is empty, or run declare-topology with a user who may declare."
    }
}
