package import AMQP
package import ConsentContract
import EventLoop
import FoundationEssentials
package import HTTP
package import Logging
package import MicrosoftAPI
import RateLimiting
package import Resilience
import ServiceLifecycle
package import Tracing

/// Takes commands from the broker and carries them out, on a work connection that comes back by itself.
package struct ConsentWorkerService: Service, CustomStringConvertible {
    private let configuration: Configuration
    private let connector: AMQPConnector
    private let publisher: ConfirmedPublisher
    private let client: HTTPClient
    private let health: WorkerHealth
    private let tracer: (any Tracer)?
    private let clock: any MonotonicClock
    private let wallClock: any WallClock
    private let logger: Logger
    /// What may end the process runs alone in it, whichever application it is for.
    private let suspects = ConcurrencyGate(limit: 1)

    package init(
        configuration: Configuration,
        publisher: ConfirmedPublisher,
        client: HTTPClient,
        health: WorkerHealth,
        tracer: (any Tracer)? = nil,
        clock: any MonotonicClock = SystemClock(),
        wallClock: any WallClock = SystemWallClock(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.publisher = publisher
        self.client = client
        self.health = health
        self.tracer = tracer
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
        let breakers = HostBreakers(configuration.breaker, health: health, clock: clock, logger: logger)
        let fleet = Fleet(
            pod: Self.podName(),
            owned: Set(configuration.applications.filter { $0.ordering == .customer }.map(\.applicationID)),
            publisher: publisher,
            clock: clock,
            logger: logger
        )
        let settlement = Settlement(publisher: publisher, clock: clock, wallClock: wallClock, logger: logger)
        let shutdown = DrainSignal()
        try await withThrowingTaskGroup { group in
            var workers: [ApplicationWorker] = []
            for application in configuration.applications {
                let id = application.applicationID
                let tokenBreakers = breakers.ofTokens(for: id)
                let tokens = TokenProvider(application, configuration, client, gate, tokenBreakers, logger)
                let keeper = keeper(application, tokens)
                group.addTask { try await keeper.run() }
                let limits = limits(application, fleet, breakers)
                fleet.onPause(of: id) { limits.pause($0, until: $1) }
                workers.append(worker(application, tokens, tokenBreakers, limits, fleet, settlement))
            }
            try await withGracefulShutdownHandler {
                try await consume(workers, fleet, settlement, shutdown)
            } onGracefulShutdown: {
                health.setDraining()
                shutdown.raise()
            }
            group.cancelAll()
        }
    }

    private func consume(
        _ workers: [ApplicationWorker],
        _ fleet: Fleet,
        _ settlement: Settlement,
        _ shutdown: DrainSignal
    ) async throws {
        do {
            try await connector.run { connection in
                do {
                    try await serve(connection, workers, fleet, settlement, shutdown)
                } catch {
                    await connection.abort()
                    throw error
                }
                fleet.sayGoodbye()
                await connection.abort()
            }
        } catch is CancellationError {
            logger.debug("the worker was cancelled")
        }
    }

    private func serve(
        _ connection: AMQPConnection,
        _ workers: [ApplicationWorker],
        _ fleet: Fleet,
        _ settlement: Settlement,
        _ shutdown: DrainSignal
    ) async throws {
        do {
            try await FleetAgreement(configuration, clock: clock).declare(on: connection)
        } catch {
            health.setDisconnected("\(error)")
            throw error
        }
        health.setConnected(connection)
        defer { health.setDisconnected("not connected to the broker") }
        let unroutable = UnroutableWorker(
            connection: connection,
            configured: Set(configuration.applications.map(\.applicationID)),
            settlement: settlement,
            tracer: tracer,
            clock: clock,
            wallClock: wallClock
        )
        try await withThrowingTaskGroup { group in
            // Ends with the connection; the others end when they have drained.
            group.addTask {
                do {
                    try await fleet.run(on: connection)
                } catch let error as AMQPError {
                    await connection.abort(error)
                    throw error
                }
            }
            try await withThrowingTaskGroup { group in
                group.addTask { try await unroutable.run() }
                for worker in workers {
                    group.addTask { try await worker.run(on: connection, shutdown: shutdown) }
                }
                // waitForAll would wait for all the others after one has failed.
                while try await group.next() != nil {}
            }
            group.cancelAll()
        }
    }

    private func worker(
        _ application: Configuration.Application,
        _ tokens: TokenProvider,
        _ tokenBreakers: TokenBreakers,
        _ limits: ApplicationLimits,
        _ fleet: Fleet,
        _ settlement: Settlement
    ) -> ApplicationWorker {
        let owner = ApplicationOwner(
            applicationID: application.applicationID,
            pod: fleet.pod,
            lease: configuration.ownerLease,
            agreement: OwnerToken.Agreement(application),
            fleet: fleet,
            alone: suspects,
            publisher: publisher,
            clock: clock,
            logger: logger
        ) { end in
            // What another pod sent until then is not in this one's log.
            for api in API.allCases {
                guard let limit = application.limit(for: api) else { continue }
                limits.owned[api].limiter.pause(until: end + limit.rate.rest)
            }
        }
        let operatorPause = fleet.operatorPause(of: application.applicationID)
        health.addPause(of: application.applicationID, operatorPause)
        let budget = RetryBudget(configuration.retry.budget, clock: clock)
        return ApplicationWorker(
            application: application,
            owner: owner,
            agreement: FleetAgreement(configuration, clock: clock),
            limits: limits,
            tokenBreakers: tokenBreakers,
            operatorPause: operatorPause,
            executor: { ordering in
                CommandExecutor(
                    requests: RequestExecutor(
                        client: client,
                        tokens: tokens,
                        limiters: limits[ordering],
                        retry: configuration.retry,
                        budget: budget,
                        timeout: configuration.httpTimeout,
                        fleet: fleet,
                        clock: clock,
                        wallClock: wallClock,
                        logger: logger
                    ),
                    endpoints: configuration.endpoints,
                    queryBounds: configuration.query
                )
            },
            seedingConnection: seedingConnection,
            settlement: settlement,
            publisher: publisher,
            tracer: tracer,
            health: health,
            clock: clock,
            wallClock: wallClock,
            logger: logger
        )
    }

    /// A short-lived connection with a thread of its own.
    private func seedingConnection() async throws -> AMQPConnection {
        let loop = EventLoop(name: "amqp seeding")
        let connector = AMQPConnector(
            name: "seeding",
            endpoints: configuration.brokers,
            options: configuration.amqp,
            clock: clock,
            logger: logger
        )
        do {
            let connection = try await connector.connect(on: loop)
            Task {
                _ = try? await connection.waitUntilClosed()
                loop.stop()
            }
            return connection
        } catch {
            loop.stop()
            throw error
        }
    }

    private func keeper(_ application: Configuration.Application, _ tokens: TokenProvider) -> RefreshTokenKeeper {
        RefreshTokenKeeper(
            applicationID: application.applicationID,
            store: RefreshTokenStore(directory: application.refreshTokens),
            tokens: tokens,
            clock: clock,
            wallClock: wallClock,
            logger: logger
        )
    }

    private func limits(
        _ application: Configuration.Application,
        _ fleet: Fleet,
        _ breakers: HostBreakers
    ) -> ApplicationLimits {
        let version = wallClock.now.milliseconds
        var permits: [PermitLimiter] = []
        func bounds(_ api: API, _ limiter: any RateLimiter) -> APIBounds {
            APIBounds(
                breaker: breakers[api],
                inFlight: ConcurrencyGate(limit: application.maxInFlight),
                limiter: limiter
            )
        }
        func owned(_ api: API) -> APIBounds {
            guard let limit = application.limit(for: api) else { return bounds(api, Unlimited(clock: clock)) }
            return bounds(api, SendLogLimiter(limit: limit.rate, strict: limit.strict, clock: clock))
        }
        func shared(_ api: API) -> APIBounds {
            guard let limit = application.limit(for: api) else { return bounds(api, Unlimited(clock: clock)) }
            let limiter = PermitLimiter(
                key: "\(api.permitKey).\(application.applicationID)",
                limit: limit.rate,
                strict: limit.strict,
                version: version,
                maxHeld: application.maxInFlight,
                isCensusLeader: { fleet.isFirst },
                clock: clock,
                logger: logger
            )
            permits.append(limiter)
            return bounds(api, limiter)
        }
        return ApplicationLimits(
            owned: APILimiters(partnerCenter: owned(.partnerCenter), graph: owned(.graph)),
            shared: APILimiters(partnerCenter: shared(.partnerCenter), graph: shared(.graph)),
            permits: permits
        )
    }

    /// Names this process among the pods: readable for operators, never the same twice.
    private static func podName() -> String {
        return "\(ProcessInfo.processInfo.hostName)-\(String(UInt32.random(in: .min ... .max), radix: 16))"
    }
}

extension TokenProvider {
    /// - Parameter gate: bounds the requests to the identity host over all applications.
    package init(
        _ application: Configuration.Application,
        _ configuration: Configuration,
        _ client: HTTPClient,
        _ gate: ConcurrencyGate,
        _ breakers: TokenBreakers?,
        _ logger: Logger
    ) {
        self.init(
            applicationID: application.applicationID,
            credential: application.credential,
            store: RefreshTokenStore(directory: application.refreshTokens),
            endpoints: configuration.endpoints,
            client: client,
            gate: gate,
            breakers: breakers,
            timeout: configuration.httpTimeout,
            logger: logger
        )
    }
}

extension API {
    /// In the names of permit queues.
    fileprivate var permitKey: String {
        switch self {
        case .partnerCenter: "partner-center"
        case .graph: "graph"
        }
    }
}
