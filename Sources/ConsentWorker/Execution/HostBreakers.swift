import ConsentContract
import Logging
import MicrosoftAPI
import Resilience

/// The circuit breakers of the hosts that this process talks to, each for all applications.
struct HostBreakers: Sendable {
    private let partnerCenter: BreakerGate
    private let graph: BreakerGate
    private let identity: BreakerGate
    private let health: WorkerHealth
    private let clock: any MonotonicClock
    private let logger: Logger

    init(_ policy: CircuitBreaker.Policy, health: WorkerHealth, clock: any MonotonicClock, logger: Logger) {
        func gate(_ name: String) -> BreakerGate {
            return BreakerGate(policy, clock: clock) { isOpen in
                health.setDown(name, isOpen)
                if isOpen {
                    logger.warning("a host fails most requests; commands wait", metadata: ["host": "\(name)"])
                } else {
                    logger.notice("a host answers again; commands go on", metadata: ["host": "\(name)"])
                }
            }
        }
        partnerCenter = gate("partner-center")
        graph = gate("graph")
        identity = gate("identity")
        self.health = health
        self.clock = clock
        self.logger = logger
    }

    subscript(api: API) -> BreakerGate {
        switch api {
        case .partnerCenter: partnerCenter
        case .graph: graph
        }
    }

    /// As they stand.
    var states: [StatusSnapshot.Breaker] {
        [
            .init(host: "partner-center", title: "Partner Center", isOpen: partnerCenter.isOpen),
            .init(host: "graph", title: "Microsoft Graph", isOpen: graph.isOpen),
            .init(host: "identity", title: "Microsoft's token endpoint", isOpen: identity.isOpen),
        ]
    }

    /// With a breaker for the application's own credentials, which shows in readiness.
    func ofTokens(for application: GUID) -> TokenBreakers {
        TokenBreakers(identity: identity, clock: clock) { [health, logger] refusal in
            guard health.reportMisconfiguration(of: application, refusal.message) else { return }
            logger.error(
                "the application's credentials are refused; its commands wait",
                metadata: ["application": "\(application)", "code": "\(refusal.code ?? "")"]
            )
        } onAcceptance: { [health, logger] in
            health.clearMisconfiguration(of: application)
            logger.notice("the application's credentials are accepted", metadata: ["application": "\(application)"])
        } onRefusedPartners: { [health] partners in
            health.setRefusedPartners(partners, of: application)
        }
    }
}
