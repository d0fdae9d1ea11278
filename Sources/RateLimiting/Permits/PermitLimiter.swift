package import AMQP
package import Logging
import NIOConcurrencyHelpers
package import Resilience

/// A limiter for a key that many processes send for at once, by permits that circulate in the broker.
///
/// For each key as many permits exist as requests fit one window. A used permit rests for one window before the broker
/// offers it again, so no window holds more uses than there are permits, however processes come and go. Made once in a
/// process: it outlives the connections that ``run(on:seeding:)`` gets its permits over.
package final class PermitLimiter: RateLimiter {
    private struct State {
        var standing: String? = PermitLimiter.withoutConnection
        var marker: PermitMarker?
    }

    private static let withoutConnection = "there is no connection to the broker that brings permits"

    private let queues: PermitQueues
    private let seeder: PermitSeeder
    private let maxHeld: Int
    private let timings: PermitTimings
    private let isCensusLeader: @Sendable () -> Bool
    private let clock: any MonotonicClock
    private let logger: Logger
    private let demand = PermitDemand()
    private let tally = PermitTally()
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - key: names the queues: an API and an application.
    ///   - limit: of all processes together. Where the broker's permits are of another limit, the later configuration's
    ///     holds for all.
    ///   - strict: let a permit rest from the answer on, not from the send on. The bound then holds on any network, at
    ///     the price of window/(window + latency) of the rate.
    ///   - version: when this process's configuration was loaded, in milliseconds since 1970.
    ///   - maxHeld: requests that this process has under way at most; only for strict mode.
    ///   - isCensusLeader: whether this process is the one that counts the permits now and then.
    package init(
        key: String,
        limit: RateLimit,
        strict: Bool,
        version: Int64,
        maxHeld: Int,
        timings: PermitTimings = PermitTimings(),
        isCensusLeader: @escaping @Sendable () -> Bool = { false },
        clock: any MonotonicClock = SystemClock(),
        logger: Logger
    ) {
        queues = PermitQueues(key: key)
        seeder = PermitSeeder(
            queues: queues,
            terms: PermitTerms(limit, strict: strict),
            version: version,
            timings: timings,
            clock: clock,
            logger: logger
        )
        self.maxHeld = maxHeld
        self.timings = timings
        self.isCensusLeader = isCensusLeader
        self.clock = clock
        self.logger = logger
    }

    /// nil while permits flow, else one sentence why not.
    package var standing: String? { state.withLockedValue { $0.standing } }

    package var counts: PermitCounts { tally.current }

    package func acquire(_ precedence: Precedence) async throws -> any SendPermit {
        guard let permit = await demand.permit(precedence) else { throw CancellationError() }
        return permit
    }

    /// Permits are asked for, and so waited for.
    package func acquireAtOnce() -> (any SendPermit)? { nil }

    package func pause(until instant: ContinuousClock.Instant) { demand.pause(until: instant) }

    package var isPaused: Bool { demand.isPaused(at: clock.now) }

    /// Serves permits from this connection until it ends, seeding them where needed. One at a time.
    ///
    /// A permit that came over it is not used after this has returned.
    /// - Parameter seeding: opens a connection of its own for seeding; it is closed here.
    /// - Throws: `AMQPError` when the connection has ended; `CancellationError`. What only concerns the permits ends
    ///   nothing: ``standing`` tells, and it is tried again.
    package func run(
        on connection: AMQPConnection,
        seeding: @escaping @Sendable () async throws -> AMQPConnection
    ) async throws {
        let readyAt = clock.now + timings.grace
        let source = PermitSource(
            seeder: seeder,
            connection: connection,
            openSeedingConnection: seeding,
            tally: tally,
            clock: clock,
            report: { self.update($0) }
        )
        let auditor = PermitAuditor(
            source: source,
            maxHeld: maxHeld,
            interval: timings.census,
            isLeader: isCensusLeader,
            marker: { self.state.withLockedValue { $0.marker } },
            clock: clock,
            logger: logger
        )
        defer { update(Self.withoutConnection) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { throw try await connection.waitUntilClosed() }
            group.addTask { try await self.keepServing(from: source, readyAt) }
            group.addTask { try await auditor.run() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func keepServing(from source: PermitSource, _ readyAt: ContinuousClock.Instant) async throws {
        while true {
            do {
                try await serve(try await source.settle(), source, readyAt)
            } catch  where Task.isCancelled {
                throw CancellationError()
            } catch let error as AMQPError where error.code == .consumerCancelled {
                // Seeded anew by somebody, or the queue's node is gone: the marker tells.
                update("the permits of \(queues.permits) are gone")
            } catch {
                update("no permits from \(queues.permits): \(error)")
                try await clock.sleep(for: .milliseconds(Int.random(in: 800...1200)))
                // Only now, because at the end of the connection there is nothing to tell.
                logger.warning("no permits", metadata: ["queue": "\(queues.permits)", "error": "\(error)"])
            }
        }
    }

    private func serve(
        _ marker: PermitMarker,
        _ source: PermitSource,
        _ readyAt: ContinuousClock.Instant
    ) async throws {
        if marker.terms != seeder.terms {
            logger.warning(
                "the permits in the broker are of another limit, asked for by a later configuration; it holds here too",
                metadata: ["broker": "\(marker.terms)", "here": "\(seeder.terms)"]
            )
        }
        let session = PermitSession(
            channel: try await source.connection.openChannel(),
            queues: queues,
            marker: marker,
            maxHeld: maxHeld,
            demand: demand,
            tally: tally,
            timings: timings,
            clock: clock
        )
        serving(by: marker)
        try await session.run(on: source.connection, readyAt: readyAt) {
            guard case .found(let current) = try await seeder.lookClosely(on: source.connection),
                current.terms == marker.terms
            else { return nil }
            serving(by: current)
            return current
        }
    }

    private func serving(by marker: PermitMarker) {
        state.withLockedValue { $0 = State(standing: nil, marker: marker) }
    }

    private func update(_ standing: String) {
        state.withLockedValue { $0 = State(standing: standing, marker: nil) }
    }
}
