import AMQP
import ConsentContract
import HTTP
import Logging
import MicrosoftAPI
import RateLimiting
import Resilience
import Tracing

/// One configured application as this process works on it, over one connection after the other.
struct ApplicationWorker: Sendable {
    let application: Configuration.Application
    let owner: ApplicationOwner
    let agreement: FleetAgreement
    let keeper: RefreshTokenKeeper
    let limits: ApplicationLimits
    let tokenBreakers: TokenBreakers
    let operatorPause: OperatorPause
    let executor: @Sendable (Configuration.Ordering) -> CommandExecutor
    /// Opens a connection for seeding permits.
    let seedingConnection: @Sendable () async throws -> AMQPConnection
    let settlement: Settlement
    let publisher: ConfirmedPublisher
    let tracer: (any Tracer)?
    let health: WorkerHealth
    let activity: ApplicationActivity
    let clock: any MonotonicClock
    let wallClock: any WallClock
    let logger: Logger
    /// Raised when this process is to work on the application no more, or not in this way.
    let stop = DrainSignal()

    var id: GUID { application.applicationID }

    /// Works until `stop` is raised and everything in hand is settled or back in the queue.
    /// - Throws: ``AMQPError`` when the connection ends before.
    func run(on connection: AMQPConnection) async throws {
        try await operatorPause.look(on: connection)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await operatorPause.watch(on: connection) }
            defer { group.cancelAll() }
            group.addTask { try await keeper.run() }
            try await work(on: connection)
        }
    }

    private func work(on connection: AMQPConnection) async throws {
        while !stop.isRaised {
            let agreed = try await agreement.agreement(on: application, connection)
            health.setAttached(id, true)
            defer { health.setAttached(id, false) }
            switch agreed.ordering {
            case .customer:
                try await owner.run(on: connection, shutdown: stop) { tenure in
                    health.setOwned(id, true)
                    defer { health.setOwned(id, false) }
                    logger.notice("owns the application", metadata: ["application": "\(id)"])
                    try await sessions(on: connection, agreed.ordering, prefetch: tenure.prefetch)
                        .run(tenure.lease, tenure.suspicion, until: tenure.release)
                }
            case .none:
                if application.ordering != .none {
                    logger.warning(
                        "the fleet keeps no order for the application, though this pod is configured to",
                        metadata: ["application": "\(id)"]
                    )
                }
                health.setShared(id, true)
                defer { health.setShared(id, false) }
                try await compete(on: connection, prefetch: agreed.prefetch)
            }
        }
    }

    /// Takes commands beside other pods, each request by a permit.
    private func compete(on connection: AMQPConnection, prefetch: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, limiter) in limits.permits.enumerated() {
                let name = "permits \(number) of \(id)"
                health.addHindrance(name) { limiter.standing }
                group.addTask {
                    defer { health.removeHindrance(name) }
                    try await limiter.run(on: connection, seeding: seedingConnection)
                }
            }
            defer { group.cancelAll() }
            try await sessions(on: connection, .none, prefetch: prefetch).run(nil, nil, until: stop)
        }
    }

    private func sessions(
        on connection: AMQPConnection,
        _ ordering: Configuration.Ordering,
        prefetch: Int
    ) -> CommandSessions {
        let executor = executor(ordering)
        var logger = logger
        logger[metadataKey: "application"] = "\(id)"
        return CommandSessions(
            holdUp: HoldUp(limiters: limits[ordering], tokens: tokenBreakers),
            operatorPause: operatorPause,
            publisher: publisher,
            clock: clock,
            logger: logger
        ) { [logger] session in
            CommandConsumer(
                connection: connection,
                applicationID: id,
                // A quorum queue puts what comes back behind what came back before: order asks for the whole of it.
                prefetch: session.isProbing && session.lease == nil ? 1 : prefetch,
                session: session,
                executor: executor,
                settlement: settlement,
                publisher: publisher,
                activity: activity,
                tracer: tracer,
                clock: clock,
                wallClock: wallClock,
                logger: logger
            )
        }
    }
}
