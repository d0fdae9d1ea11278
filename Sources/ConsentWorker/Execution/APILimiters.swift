import MicrosoftAPI
import RateLimiting
import Resilience

/// What bounds an application's requests to one API: how many at a time, how many in a window, and none in an outage.
struct APIBounds: Sendable {
    /// Of the API's host, for all applications.
    let breaker: BreakerGate
    let inFlight: ConcurrencyGate
    let limiter: any RateLimiter

    /// Whether the API is down or has asked for a pause.
    var isHeldUp: Bool { breaker.isOpen || limiter.isPaused }
    /// Whether requests wait for the end of that.
    var keepsWaiting: Bool { breaker.waiting > 0 || limiter.isPaused }
}

/// Each API has bounds of its own: a pause of one leaves the other alone.
struct APILimiters: Sendable {
    let partnerCenter: APIBounds
    let graph: APIBounds

    subscript(api: API) -> APIBounds {
        switch api {
        case .partnerCenter: partnerCenter
        case .graph: graph
        }
    }

    var all: [APIBounds] { [partnerCenter, graph] }
}
