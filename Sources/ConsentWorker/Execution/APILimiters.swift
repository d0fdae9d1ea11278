import MicrosoftAPI
import RateLimiting
import Resilience

/// What bounds an application's requests to one API: how many at a time, and how many in a window.
struct APIBounds: Sendable {
    let inFlight: ConcurrencyGate
    let limiter: any RateLimiter
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
}
