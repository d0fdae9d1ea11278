import AMQP
import Logging
import Resilience

/// Reads the marker of one key's permits, and seeds permits where they are missing or of older terms.
struct PermitSeeder: Sendable {
    /// What is found where the marker should be.
    enum Look: Sendable, Hashable {
        case found(PermitMarker)
        /// The queue is there, the marker is not, or somebody is reading it.
        case empty
        case missing
    }

    let queues: PermitQueues
    let terms: PermitTerms
    let version: Int64
    let timings: PermitTimings
    let clock: any MonotonicClock
    let logger: Logger

    func binds(_ marker: PermitMarker) -> Bool { marker.binds(terms, version: version) }

    /// Reads the marker. It is away from its queue for a moment then, so others may find none.
    func look(on connection: AMQPConnection) async throws -> Look {
        let channel = try await connection.openChannel()
        let delivery: AMQPDelivery?
        do {
            delivery = try await channel.get(queues.seeded)
        } catch {
            guard error.isMissingQueue else { throw error }
            return .missing
        }
        delivery?.reject(requeue: true)
        try await channel.close()
        guard case .complete(let body) = delivery?.body, let marker = PermitMarker(body) else { return .empty }
        return .found(marker)
    }

    /// Looks several times before it says that there is no marker.
    func lookClosely(on connection: AMQPConnection) async throws -> Look {
        for _ in 1...5 {
            let look = try await look(on: connection)
            if look != .empty { return look }
            try await clock.sleep(for: .milliseconds(Int.random(in: 20...60)))
        }
        return .empty
    }

    /// Whether somebody else is seeding.
    func isLocked(on connection: AMQPConnection) async throws -> Bool {
        let channel = try await connection.openChannel()
        var passive = queues.lockDeclaration
        passive.passive = true
        do {
            try await channel.declare(passive)
        } catch {
            guard error.isMissingQueue || error.isLocked else { throw error }
            return error.isLocked
        }
        // This connection's own.
        try await channel.close()
        return false
    }

    /// Seeds under the lock, unless that proves to be done.
    /// - Parameters:
    ///   - connection: lost together with the lock, so that two never seed at once.
    ///   - isSettled: whether a marker that is found leaves nothing to do.
    /// - Returns: the marker that is there now, and whether it is new; nil while another has the lock.
    func seed(
        on connection: AMQPConnection,
        unless isSettled: (PermitMarker) -> Bool
    ) async throws -> (marker: PermitMarker, isNew: Bool)? {
        let channel = try await connection.openChannel()
        do {
            try await channel.declare(queues.lockDeclaration)
        } catch {
            guard error.isLocked else { throw error }
            return nil
        }
        if case .found(let marker) = try await lookClosely(on: connection), isSettled(marker) {
            try await channel.deleteQueue(queues.lock)
            return (marker, false)
        }
        // The marker first: without it nobody starts to consume. A queue whose node is down cannot be deleted, nor
        // declared: that ends it here, because the node comes back with its queue.
        for queue in [queues.seeded, queues.permits, queues.resting] { try await channel.deleteQueue(queue) }
        // Nobody is delivered a permit from here on; what was delivered before is used by then or never.
        try await clock.sleep(for: timings.holding)
        let marker = PermitMarker(terms: terms, version: version, epoch: Self.newEpoch())
        for queue in queues.declarations(terms) { try await channel.declare(queue) }
        try await channel.selectConfirms()
        // To rest, not to use: what was sent until now is part of the next window.
        try await publish((0..<terms.requests).map { (marker.permit($0), queues.resting) }, on: channel)
        try await publish([(marker.bytes, queues.seeded)], on: channel)
        try await channel.deleteQueue(queues.lock)
        logger.notice(
            "permits seeded",
            metadata: ["queue": "\(queues.permits)", "requests": "\(terms.requests)", "epoch": "\(marker.epoch)"]
        )
        return (marker, true)
    }

    private func publish(_ messages: [(body: [UInt8], queue: String)], on channel: AMQPChannel) async throws {
        let pending = messages.map { channel.startPublishing(queues.message($0.body, to: $0.queue)) }
        for publish in pending {
            if case .returned(let reason) = try await publish.outcome() {
                throw AMQPError(.nacked, "the broker returned a permit: \(reason)")
            }
        }
    }

    private static func newEpoch() -> String {
        String(UInt64.random(in: 0 ... .max), radix: 36) + String(UInt64.random(in: 0 ... .max), radix: 36)
    }
}

extension AMQPError {
    /// The queue does not exist. The same reply code tells of one whose home node is down ("home node … of durable
    /// queue … is down or inaccessible", RabbitMQ 3.10), which exists and comes back.
    var isMissingQueue: Bool { replyCode == AMQPReplyCode.notFound && message.contains("no queue '") }

    /// An exclusive queue of another connection: RESOURCE_LOCKED.
    var isLocked: Bool { replyCode == 405 }
}
