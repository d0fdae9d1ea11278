import AMQP
import ConsentContract
import Logging
import NIOConcurrencyHelpers
import Resilience

/// One pod's part in the ownership of one application: waits for the token, holds it under a lease, hands it over.
///
/// RabbitMQ gives the token to one pod at a time, but a network that is split can leave two of them believing that
/// they hold it. So holding is a lease: every half lease the owner gives the token back and must be delivered it
/// again, which only the majority's side of a cluster can do. The lease counts from before that request. The next
/// owner of a token that was not released waits for one lease: by then the one before has stopped by its own clock.
final class ApplicationOwner: Sendable {
    private let applicationID: GUID
    private let pod: String
    private let lease: Duration
    private let agreement: OwnerToken.Agreement
    private let fleet: Fleet
    private let publisher: ConfirmedPublisher
    private let clock: any MonotonicClock
    private let logger: Logger
    private let claims = NIOLockedValueBox(0)
    private let onSuccession: @Sendable (ContinuousClock.Instant) -> Void
    /// Before it this pod does not send: an owner before it may still do.
    private let earliestStart: NIOLockedValueBox<ContinuousClock.Instant>

    /// - Parameters:
    ///   - pod: names this process; never used by another.
    ///   - lease: the same in the whole fleet as a rule; a longer one in the token is respected.
    ///   - onSuccession: told of an instant until which another pod may have sent for the application.
    init(
        applicationID: GUID,
        pod: String,
        lease: Duration,
        agreement: OwnerToken.Agreement,
        fleet: Fleet,
        publisher: ConfirmedPublisher,
        clock: any MonotonicClock,
        logger: Logger,
        onSuccession: @escaping @Sendable (ContinuousClock.Instant) -> Void
    ) {
        self.applicationID = applicationID
        self.pod = pod
        self.lease = lease
        self.agreement = agreement
        self.fleet = fleet
        self.publisher = publisher
        self.clock = clock
        self.logger = logger
        self.onSuccession = onSuccession
        earliestStart = NIOLockedValueBox(clock.now)
    }

    /// What an owner may rely on while it owns.
    struct Tenure: Sendable {
        let lease: Lease
        let prefetch: Int
        /// Raised when the application is to be handed over.
        let release: DrainSignal
    }

    /// Waits for the token, owns, hands over and waits again, until `shutdown` is raised.
    /// - Parameter own: consumes commands until the tenure's `release` is raised, and returns when all of them are
    ///   settled or back in the queue.
    /// - Returns: when shut down, or when the token says that the fleet keeps no order.
    /// - Throws: ``AMQPError`` when the connection ends, also because a lease ran out.
    func run(
        on connection: AMQPConnection,
        shutdown: DrainSignal,
        own: @escaping @Sendable (Tenure) async throws -> Void
    ) async throws {
        while !shutdown.isRaised {
            let channel = try await connection.openChannel()
            try await channel.setPrefetch(1)
            let consumer = try await channel.consume(Topology.Name.ownerQueue(applicationID))
            var deliveries = consumer.deliveries.makeAsyncIterator()
            guard let delivery = try await token(&deliveries, consumer, shutdown) else {
                return try await channel.close()
            }
            let token = OwnerToken(delivery, assuming: agreement, lease: lease)
            if token.agreement.ordering == .none || fleet.passesOn(applicationID) {
                // In this order: given back first, it would come to this consumer again.
                try await consumer.cancel()
                delivery.reject(requeue: true)
                try await channel.synchronize()
                try await channel.close()
                if token.agreement.ordering == .none { return }
                continue
            }
            try await hold(delivery, &deliveries, consumer, shutdown, own)
        }
    }

    // MARK: - Waiting

    private typealias Deliveries = AsyncThrowingStream<[AMQPDelivery], any Error>.Iterator

    private func token(
        _ deliveries: inout Deliveries,
        _ consumer: AMQPConsumer,
        _ shutdown: DrainSignal
    ) async throws -> AMQPDelivery? {
        // A delivery ends the group's other tasks.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await shutdown.wait()
                try await consumer.cancel()
            }
            group.addTask { try await self.replaceLostToken(consumer.channel.connection) }
            defer { group.cancelAll() }
            let token = try await deliveries.next(isolation: #isolation)?.first
            if shutdown.isRaised, let token {
                token.reject(requeue: true)
                return nil
            }
            return token
        }
    }

    /// A token can get lost with a queue. Who waits two leases without a sign of it or of an owner writes another; one
    /// too many is harmless, since one pod at a time is delivered one.
    private func replaceLostToken(_ connection: AMQPConnection) async throws {
        while true {
            try await clock.sleep(for: lease * 2)
            guard !fleet.isOwnedElsewhere(applicationID) else { continue }
            let channel = try await connection.openChannel()
            let status = try await channel.declare(
                AMQPQueue(Topology.Name.ownerQueue(applicationID), passive: true)
            )
            try await channel.close()
            guard status.messages == 0 else { continue }
            logger.warning("no pod has the owner token; writing another", metadata: metadata)
            try await publish(OwnerToken(agreement, holder: nil, isReleased: false, lease: lease))
        }
    }

    // MARK: - Holding

    private func hold(
        _ delivery: AMQPDelivery,
        _ deliveries: inout Deliveries,
        _ consumer: AMQPConsumer,
        _ shutdown: DrainSignal,
        _ own: @escaping @Sendable (Tenure) async throws -> Void
    ) async throws {
        let release = DrainSignal()
        fleet.own(applicationID, release)
        defer { fleet.disown(applicationID) }
        let claimed = clock.now
        let (first, token) = try await claim(delivery, &deliveries)
        var current = first
        let tenure = Tenure(
            lease: Lease(until: claimed + lease, clock: clock),
            prefetch: token.agreement.prefetch,
            release: release
        )
        let ended = DrainSignal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await shutdown.wait()
                release.raise()
            }
            group.addTask { try await self.enforce(tenure.lease, consumer.channel.connection) }
            group.addTask {
                defer { ended.raise() }
                let start = self.earliestStart.withLockedValue { $0 }
                try await release.cancelWhenRaised { [clock = self.clock] in try await clock.sleep(until: start) }
                try await own(tenure)
            }
            var renewal = claimed + lease / 2
            while true {
                do {
                    try await ended.cancelWhenRaised { [clock, renewal] in try await clock.sleep(until: renewal) }
                } catch {
                    break
                }
                let started = clock.now
                current.reject(requeue: true)
                current = try await next(&deliveries)
                let held = OwnerToken(current, assuming: agreement, lease: lease)
                guard held.holder == token.holder else {
                    throw lost(tenure.lease, "is held by \(held.holder ?? "nobody")")
                }
                tenure.lease.extend(to: started + lease)
                renewal = started + lease / 2
            }
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
        try Task.checkCancellation()
        try await handOver(current, token, consumer, tenure.lease)
    }

    /// Writes this pod's own token and clears away what comes before it.
    ///
    /// Only what it is delivered after its own token's publication tells who was there before: the broker may have
    /// taken the first one back and given it to others, who have come and gone meanwhile. So times count from the
    /// delivery of its own, and a released token counts only if no holder's came between.
    private func claim(
        _ first: AMQPDelivery,
        _ deliveries: inout Deliveries
    ) async throws -> (AMQPDelivery, OwnerToken) {
        var token = OwnerToken(first, assuming: agreement, lease: lease)
        if token.agreement != agreement {
            logger.warning(
                "the fleet's ordering and prefetch differ from this pod's; the fleet's count",
                metadata: metadata.merging(["fleet": "\(token.agreement)"]) { $1 }
            )
        }
        // Of this claim alone: a token that an earlier one left behind says nothing of what happened since.
        let number = claims.withLockedValue { claims in
            claims += 1
            return claims
        }
        let own = OwnerToken(
            token.agreement,
            holder: "\(pod)#\(number)",
            isReleased: false,
            lease: lease
        )
        try await publish(own)
        var wait = Duration.zero
        var current = first
        while token.holder != own.holder {
            if !token.isReleased { wait = max(wait, lease, token.lease) }
            current.ack()
            current = try await next(&deliveries)
            token = OwnerToken(current, assuming: own.agreement, lease: lease)
        }
        let start = clock.now + wait
        earliestStart.withLockedValue { $0 = max($0, start) }
        onSuccession(start)
        return (current, own)
    }

    private func next(_ deliveries: inout Deliveries) async throws -> AMQPDelivery {
        guard let delivery = try await deliveries.next(isolation: #isolation)?.first else { throw CancellationError() }
        return delivery
    }

    /// Ends the connection when the lease runs out: what runs is aborted, what is in hand goes back.
    private func enforce(_ lease: Lease, _ connection: AMQPConnection) async throws {
        while lease.isValid { try await clock.sleep(until: lease.expiry) }
        let error = lost(lease, "could not be renewed in time")
        await connection.abort(error)
        throw error
    }

    private func lost(_ lease: Lease, _ reason: String) -> AMQPError {
        lease.expire()
        return AMQPError(.connectionLost, "the ownership of application \(applicationID) \(reason)")
    }

    // MARK: - Handing over

    /// Nothing runs and nothing is in hand any more: the next owner may start at once.
    private func handOver(
        _ current: AMQPDelivery,
        _ token: OwnerToken,
        _ consumer: AMQPConsumer,
        _ lease: Lease
    ) async throws {
        guard try await commandsAreBack(consumer.channel.connection, before: lease.expiry) else {
            throw lost(lease, "could not be handed over in order")
        }
        // Whoever is still waiting for an owner before it cannot release what that one may hold.
        let mayRelease = earliestStart.withLockedValue { $0 } <= clock.now
        if mayRelease {
            var released = token
            released.holder = nil
            released.isReleased = true
            try await publish(released)
        }
        guard lease.isValid else { throw lost(lease, "ran out while it was handed over") }
        // Cancelled before the old token is settled, or this consumer would get the new one.
        try await consumer.cancel()
        if mayRelease { current.ack() } else { current.reject(requeue: true) }
        try await consumer.channel.synchronize()
        try await consumer.channel.close()
        logger.notice("handed the application over", metadata: metadata)
    }

    /// The broker takes a channel's deliveries back a moment after it has closed it.
    private func commandsAreBack(
        _ connection: AMQPConnection,
        before end: ContinuousClock.Instant
    ) async throws -> Bool {
        let channel = try await connection.openChannel()
        while clock.now < end {
            let queue = AMQPQueue(Topology.Name.commandQueue(applicationID), passive: true)
            if try await channel.declare(queue).consumers == 0 {
                try await channel.close()
                return true
            }
            try await clock.sleep(for: .milliseconds(2))
        }
        return false
    }

    private func publish(_ token: OwnerToken) async throws {
        if case .returned(let reason) = try await publisher.publish(token.message(to: applicationID)) {
            throw AMQPError(.channelClosed, "the owner queue of \(applicationID) is gone: \(reason)")
        }
    }

    private var metadata: Logger.Metadata { ["application": "\(applicationID)"] }
}
