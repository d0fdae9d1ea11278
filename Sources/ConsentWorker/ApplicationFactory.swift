import AMQP
import ConsentContract
import EventLoop
import HTTP
import Logging
import MicrosoftAPI
import RateLimiting
import Resilience
import Tracing

/// Makes what works on one application, out of what all of them share.
struct ApplicationFactory: Sendable {
    let configuration: Configuration
    let publisher: ConfirmedPublisher
    let client: HTTPClient
    let fleet: Fleet
    let settlement: Settlement
    let breakers: HostBreakers
    let health: WorkerHealth
    let status: WorkerStatus
    let tracer: (any Tracer)?
    let clock: any MonotonicClock
    let wallClock: any WallClock
    let logger: Logger
    /// Bounds the requests to the identity host.
    let identityGate: ConcurrencyGate
    /// What may end the process runs alone in it, whichever application it is for.
    let suspects = ConcurrencyGate(limit: 1)

    func worker(_ application: Configuration.Application) -> ApplicationWorker {
        let id = application.applicationID
        let tokenBreakers = breakers.ofTokens(for: id)
        let tokens = TokenProvider(application, configuration, client, identityGate, tokenBreakers, logger)
        let limits = limits(application)
        fleet.onPause(of: id) { limits.pause($0, until: $1) }
        return worker(application, tokens, tokenBreakers, limits)
    }

    /// Declares what the applications need, and says what should be otherwise.
    /// - Throws: ``TopologyMismatch``; ``AMQPError``.
    func declare(_ applications: [Configuration.Application], on connection: AMQPConnection) async throws {
        for application in try await agreement(on: applications).declare(on: connection) {
            logger.warning(
                """
                the application's command queue was declared for another ordering; run declare-topology when no worker \
                runs and the queue is empty
                """,
                metadata: ["application": "\(application)"]
            )
        }
    }

    /// The fleet's agreement on some of the applications.
    private func agreement(on applications: [Configuration.Application]) -> FleetAgreement {
        var configuration = configuration
        configuration.applications = applications
        return FleetAgreement(configuration, clock: clock)
    }

    private func worker(
        _ application: Configuration.Application,
        _ tokens: TokenProvider,
        _ tokenBreakers: TokenBreakers,
        _ limits: ApplicationLimits
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
            agreement: agreement(on: [application]),
            keeper: keeper(application, tokens),
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
                        activity: status[application.applicationID],
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
            activity: status[application.applicationID],
            clock: clock,
            wallClock: wallClock,
            logger: logger
        )
    }

    /// A short-lived connection with a thread of its own, which whoever gets it stops after the connection's end.
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
            return try await connector.connect(on: loop)
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

    private func limits(_ application: Configuration.Application) -> ApplicationLimits {
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
                key: api.permitKey(of: application.applicationID),
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
}
