import AMQP
import ConsentContract
import Logging
import NIOConcurrencyHelpers
import Resilience

/// One pod's part in the ownership of one application: waits for the token, holds it under a lease, hands it over.
///
/// RabbitMQ gives tokens to one pod at a time, but a network that is split can leave two of them believing that they
/// hold one. So holding is a lease: every half lease the owner publishes a token of its own with a new number, and must
/// be delivered exactly that one, which only the majority's side of a cluster can do. The lease counts from before the
/// publication. Whoever takes over from an owner that did not hand over waits for one lease: by then the one before
/// has stopped by its own clock. The rules, and why each is needed, are searched exhaustively in
/// `Tests/Models/owner.pml`.
final class ApplicationOwner: Sendable {
    private let applicationID: GUID
    private let pod: String
    private let lease: Duration
    private let agreement: OwnerToken.Agreement
    private let fleet: Fleet
    private let alone: ConcurrencyGate
    private let publisher: ConfirmedPublisher
    private let clock: any MonotonicClock
    private let logger: Logger
    private let onSuccession: @Sendable (ContinuousClock.Instant) -> Void
    /// Before it this pod does not send: an owner before it may still do.
    private let earliestStart: NIOLockedValueBox<ContinuousClock.Instant>

    /// - Parameters:
    ///   - pod: names this process; never used by another.
    ///   - lease: the same in the whole fleet as a rule; a longer one in the token is respected.
    ///   - alone: lets one suspected message at a time run in this process.
    ///   - onSuccession: told of an instant until which another pod may have sent for the application.
    init(
        applicationID: GUID,
        pod: String,
        lease: Duration,
        agreement: OwnerToken.Agreement,
        fleet: Fleet,
        alone: ConcurrencyGate,
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
        self.alone = alone
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
        let suspicion: Suspicion
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
            var intake = try await TokenIntake(Topology.Name.ownerQueue(applicationID), on: connection)
            guard let first = try await token(&intake, connection, shutdown) else { return try await intake.leave() }
            let token = OwnerToken(first, assuming: agreement, lease: lease)
            if token.agreement.ordering == .none { return try await intake.leave() }
            if fleet.passesOn(applicationID) {
                try await intake.leave()
                continue
            }
            try await hold(first, &intake, connection, shutdown, own)
        }
    }

    // MARK: - Waiting

    private func token(
        _ intake: inout TokenIntake,
        _ connection: AMQPConnection,
        _ shutdown: DrainSignal
    ) async throws -> AMQPDelivery? {
        // A delivery ends the group's other tasks.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [end = intake.end] in
                try await shutdown.wait()
                await end()
            }
            group.addTask { try await self.replaceLostToken(connection) }
            defer { group.cancelAll() }
            let token = try await intake.next()
            return shutdown.isRaised ? nil : token
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
        _ first: AMQPDelivery,
        _ intake: inout TokenIntake,
        _ connection: AMQPConnection,
        _ shutdown: DrainSignal,
        _ own: @escaping @Sendable (Tenure) async throws -> Void
    ) async throws {
        let release = DrainSignal()
        fleet.own(applicationID, release)
        defer { fleet.disown(applicationID) }
        let claimed = clock.now
        var token = try await takeOver(first, &intake)
        let suspicion = Suspicion(token.record, alone: alone, clock: clock)
        if suspicion.isOn {
            logger.warning(
                "owners of the application end one after the other; redelivered commands run one at a time",
                metadata: metadata.merging(["takeOvers": "\(token.record.takeOvers)"]) { $1 }
            )
        }
        let tenure = Tenure(
            lease: Lease(until: claimed + lease, clock: clock),
            prefetch: token.agreement.prefetch,
            suspicion: suspicion,
            release: release
        )
        let ended = DrainSignal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await shutdown.wait()
                release.raise()
            }
            group.addTask { try await self.enforce(tenure.lease, connection) }
            group.addTask {
                defer { ended.raise() }
                let start = self.earliestStart.withLockedValue { $0 }
                try await release.cancelWhenRaised { [clock = self.clock] in try await clock.sleep(until: start) }
                try await own(tenure)
            }
            var renewal = claimed + lease / 2
            while true {
                do {
                    try await ended.cancelWhenRaised { [renewal] in
                        try await suspicion.waitForWriting(until: renewal)
                    }
                } catch {
                    break
                }
                let started = clock.now
                let (record, written) = suspicion.toWrite()
                token.record = record
                token = try await renew(token, tenure.lease, &intake)
                written()
                tenure.lease.extend(to: started + lease)
                renewal = started + lease / 2
            }
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
        try Task.checkCancellation()
        try await handOver(token, &intake, connection, tenure.lease)
    }

    /// Puts this pod's own token behind those of others.
    ///
    /// Only what comes before its own token tells who was there: the broker may have taken the first one back and
    /// given it to others, who have come and gone meanwhile. So times count from the delivery of its own, and a
    /// released token counts only if no other came between.
    private func takeOver(_ first: AMQPDelivery, _ intake: inout TokenIntake) async throws -> OwnerToken {
        var token = OwnerToken(first, assuming: agreement, lease: lease)
        if token.agreement != agreement {
            logger.warning(
                "the fleet's ordering and prefetch differ from this pod's; the fleet's count",
                metadata: metadata.merging(["fleet": "\(token.agreement)"]) { $1 }
            )
        }
        var own = numbered(token)
        try await publish(own)
        var wait = Duration.zero
        while token.holder != own.holder {
            if !token.isReleased { wait = max(wait, lease, token.lease) }
            // A process that comes back for its own token has only lost its connection.
            let hasEnded = !token.isReleased && token.holder.map { !$0.hasPrefix("\(pod)#") } ?? false
            own.record = hasEnded ? token.record.afterCrash : token.record
            token = try await next(&intake)
        }
        intake.settleEarlier()
        let start = clock.now + wait
        earliestStart.withLockedValue { $0 = max($0, start) }
        onSuccession(start)
        return own
    }

    /// Proves that this pod still holds the application: by a token that did not exist before.
    private func renew(_ held: OwnerToken, _ lease: Lease, _ intake: inout TokenIntake) async throws -> OwnerToken {
        let own = numbered(held)
        try await publish(own)
        while true {
            let token = try await next(&intake)
            if token.holder == own.holder { break }
            // Nobody's, or the one that is held already, published twice.
            guard token.holder == nil || token.holder == held.holder else {
                throw lost(lease, "was taken over by \(token.holder ?? "")")
            }
        }
        intake.settleEarlier()
        return own
    }

    /// A token of this pod's with a number that it has never used, which says what `token` said of the application.
    private func numbered(_ token: OwnerToken) -> OwnerToken {
        var own = OwnerToken(token.agreement, holder: "\(pod)#\(fleet.nextClaim())", isReleased: false, lease: lease)
        own.record = token.record
        return own
    }

    private func next(_ intake: inout TokenIntake) async throws -> OwnerToken {
        guard let delivery = try await intake.next() else { throw CancellationError() }
        return OwnerToken(delivery, assuming: agreement, lease: lease)
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
        _ token: OwnerToken,
        _ intake: inout TokenIntake,
        _ connection: AMQPConnection,
        _ lease: Lease
    ) async throws {
        guard try await commandsAreBack(connection, before: lease.expiry) else {
            throw lost(lease, "could not be handed over in order")
        }
        // Whoever is still waiting for an owner before it cannot release what that one may hold.
        if earliestStart.withLockedValue({ $0 }) <= clock.now {
            var released = token
            released.holder = nil
            released.isReleased = true
            released.record = Suspicion.Record()
            try await publish(released, under: lease)
            guard lease.isValid else { throw lost(lease, "ran out while it was handed over") }
            intake.settleAll()
        }
        try await intake.leave()
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

    /// A broker that takes no messages holds up nobody's end.
    private func publish(_ token: OwnerToken, under lease: Lease) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.publish(token) }
            group.addTask { try await self.clock.sleep(until: lease.expiry) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func publish(_ token: OwnerToken) async throws {
        if case .returned(let reason) = try await publisher.publish(token.message(to: applicationID)) {
            throw AMQPError(.channelClosed, "the owner queue of \(applicationID) is gone: \(reason)")
        }
    }

    private var metadata: Logger.Metadata { ["application": "\(applicationID)"] }
}
