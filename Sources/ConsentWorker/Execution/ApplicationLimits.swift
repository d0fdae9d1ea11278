import AMQP
import MicrosoftAPI
import RateLimiting
import Resilience

/// What bounds an application's requests. Made once: what was sent is remembered across connections.
struct ApplicationLimits: Sendable {
    /// For the one owner: a log of its own sends.
    let owned: APILimiters
    /// For pods that compete: permits that circulate in the broker.
    let shared: APILimiters
    /// Those of `shared` that need a connection to get permits over.
    let permits: [PermitLimiter]

    subscript(ordering: Configuration.Ordering) -> APILimiters {
        switch ordering {
        case .customer: owned
        case .none: shared
        }
    }

    /// Sends nothing to the API before `end`, whoever sends.
    func pause(_ api: API, until end: ContinuousClock.Instant) {
        owned[api].limiter.pause(until: end)
        shared[api].limiter.pause(until: end)
    }
}
