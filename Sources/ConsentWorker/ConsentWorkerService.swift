package import AMQP
package import ConsentContract
package import HTTP
package import Logging
package import MicrosoftAPI
import RateLimiting
package import Resilience
import ServiceLifecycle

/// Takes commands from the broker and carries them out, on a work connection that comes back by itself.
package struct ConsentWorkerService: Service, CustomStringConvertible {
    private let configuration: Configuration
    private let connector: AMQPConnector
    private let publisher: ConfirmedPublisher
    private let client: HTTPClient
    private let health: WorkerHealth
    private let clock: any MonotonicClock
    private let wallClock: any WallClock
    private let logger: Logger

    package init(
        configuration: Configuration,
        publisher: ConfirmedPublisher,
        client: HTTPClient,
        health: WorkerHealth,
        clock: any MonotonicClock = SystemClock(),
        wallClock: any WallClock = SystemWallClock(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.publisher = publisher
        self.client = client
        self.health = health
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
        var options = configuration.amqp
        options.maximumBodyBytes = UInt64(CommandDecoder.maximumBodyBytes)
        connector = AMQPConnector(
            name: "work",
            endpoints: configuration.brokers,
            options: options,
            clock: clock,
            logger: logger
        )
    }

    package var description: String { "worker" }

    /// Runs until graceful shutdown or cancellation.
    package func run() async throws {
        let gate = ConcurrencyGate(limit: configuration.identityConcurrency)
        // Made once: limits and tokens outlive a connection.
        let applications = configuration.applications.map {
            ($0, TokenProvider($0, configuration, client, gate, logger))
        }
        let executors = applications.map { ($0, executor($0, $1)) }
        let settlement = Settlement(publisher: publisher, clock: clock, wallClock: wallClock, logger: logger)
        let configured = Set(configuration.applications.map(\.applicationID))
        try await withThrowingTaskGroup { group in
            for (application, tokens) in applications {
                let keeper = RefreshTokenKeeper(
                    applicationID: application.applicationID,
                    store: RefreshTokenStore(directory: application.refreshTokens),
                    tokens: tokens,
                    clock: clock,
                    wallClock: wallClock,
                    logger: logger
                )
                group.addTask { try await keeper.run() }
            }
            try await consume(executors, settlement, configured)
            group.cancelAll()
        }
    }

    private func consume(
        _ executors: [(Configuration.Application, CommandExecutor)],
        _ settlement: Settlement,
        _ configured: Set<GUID>
    ) async throws {
        do {
            try await connector.run { connection in
                do {
                    try await serve(connection, executors, settlement, configured)
                } catch {
                    await connection.abort()
                    throw error
                }
                await connection.abort()
            }
        } catch is CancellationError {
            logger.debug("the worker was cancelled")
        }
    }

    private func serve(
        _ connection: AMQPConnection,
        _ executors: [(Configuration.Application, CommandExecutor)],
        _ settlement: Settlement,
        _ configured: Set<GUID>
    ) async throws {
        do {
            try await Topology(applications: Array(configured)).declare(on: connection)
        } catch {
            health.setDisconnected("\(error)")
            throw error
        }
        health.setConnected(connection)
        defer { health.setDisconnected("not connected to the broker") }
        try await withThrowingTaskGroup { group in
            for (application, executor) in executors {
                let session = Session(lease: nil)
                let worker = CommandConsumer(
                    connection: connection,
                    applicationID: application.applicationID,
                    prefetch: application.prefetch,
                    session: session,
                    executor: executor,
                    settlement: settlement,
                    publisher: publisher,
                    clock: clock,
                    wallClock: wallClock,
                    logger: logger
                )
                group.addTask {
                    health.setConsuming(application.applicationID, true)
                    try await withGracefulShutdownHandler {
                        try await worker.run()
                    } onGracefulShutdown: {
                        session.drain.raise()
                    }
                }
            }
            let unroutable = UnroutableWorker(
                connection: connection,
                configured: configured,
                settlement: settlement,
                clock: clock,
                wallClock: wallClock
            )
            group.addTask { try await unroutable.run() }
            try await withGracefulShutdownHandler {
                try await group.waitForAll()
            } onGracefulShutdown: {
                health.setDraining()
            }
        }
    }

    private func executor(_ application: Configuration.Application, _ tokens: TokenProvider) -> CommandExecutor {
        func bounds(of api: API) -> APIBounds {
            APIBounds(
                inFlight: ConcurrencyGate(limit: application.maxInFlight),
                limiter: application.limit(for: api).map { SendLogLimiter(limit: $0, startsFull: true, clock: clock) }
                    ?? Unlimited(clock: clock)
            )
        }
        let requests = RequestExecutor(
            client: client,
            tokens: tokens,
            limiters: APILimiters(partnerCenter: bounds(of: .partnerCenter), graph: bounds(of: .graph)),
            retry: configuration.retry,
            timeout: configuration.httpTimeout,
            health: health,
            clock: clock,
            wallClock: wallClock,
            logger: logger
        )
        return CommandExecutor(
            requests: requests,
            endpoints: configuration.endpoints,
            queryBounds: configuration.query
        )
    }
}

extension TokenProvider {
    /// - Parameter gate: bounds the requests to the identity host over all applications.
    package init(
        _ application: Configuration.Application,
        _ configuration: Configuration,
        _ client: HTTPClient,
        _ gate: ConcurrencyGate,
        _ logger: Logger
    ) {
        self.init(
            applicationID: application.applicationID,
            credential: application.credential,
            store: RefreshTokenStore(directory: application.refreshTokens),
            endpoints: configuration.endpoints,
            client: client,
            gate: gate,
            timeout: configuration.httpTimeout,
            logger: logger
        )
    }
}
