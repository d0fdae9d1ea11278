package import AMQP
import ConsentContract

extension Topology {
    /// Declares everything; what is there already with the same properties stays as it is. Where the user may not
    /// declare, it is enough that a queue or exchange is there.
    /// - Throws: ``TopologyMismatch`` for all that is missing or has other properties; ``AMQPError``.
    package func declare(on connection: AMQPConnection) async throws {
        var mismatches: [String] = []
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
            var present = queue
            present.passive = true
            let problem = try await problem(
                on: connection,
                { channel throws(AMQPError) in try await channel.declare(queue) },
                orPresent: { [present] channel throws(AMQPError) in try await channel.declare(present) }
            )
            if let problem { mismatches.append("the queue \(queue.name) \(problem)") }
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
