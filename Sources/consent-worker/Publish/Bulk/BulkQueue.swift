import AMQP
import ConsentContract
import ConsentWorker

/// The queue that keeps the events of a run, also while nobody reads them: what comes after an interruption is there
/// when the run goes on. The broker removes it some days after it was last used.
struct BulkQueue {
    static let expiry = Duration.seconds(3 * 86_400)

    let name: String

    init(of job: GUID) { name = "consent.bulk.\(job)" }

    func exists(on connection: AMQPConnection) async throws -> Bool {
        let channel = try await connection.openChannel()
        do throws(AMQPError) {
            try await channel.declare(AMQPQueue(name, passive: true))
        } catch {
            guard error.replyCode == AMQPReplyCode.notFound else { throw error }
            return false
        }
        try await channel.close()
        return true
    }

    /// Declares and binds it; returns how many events wait in it.
    func declare(
        on connection: AMQPConnection,
        _ kind: CommandKind,
        _ applications: Set<GUID>
    ) async throws(AMQPError) -> Int {
        let channel = try await connection.openChannel()
        let queue = AMQPQueue(
            name,
            arguments: [
                "x-queue-type": "quorum", "x-delivery-limit": 2_147_483_647,
                "x-expires": .int(Int64(Self.expiry.components.seconds) * 1000),
            ]
        )
        let waiting = try await channel.declare(queue).messages
        for application in applications {
            // Everything that a valid command can end in, and the pages of queries.
            let key = "\(kind.rawValue).*.\(application)"
            try await channel.bind(AMQPBinding(queue: name, exchange: Topology.Name.events, routingKey: key))
        }
        try await channel.close()
        return waiting
    }

    func delete(on connection: AMQPConnection) async throws(AMQPError) {
        let channel = try await connection.openChannel()
        try await channel.deleteQueue(name)
        try await channel.close()
    }
}
