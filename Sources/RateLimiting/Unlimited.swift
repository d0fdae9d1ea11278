import NIOConcurrencyHelpers
package import Resilience

/// For `limits: none`: as many requests as there are, unless the API itself asks for a pause.
package final class Unlimited: RateLimiter {
    private struct Permit: SendPermit {
        func use() -> Bool { true }
        func sent() {}
        func finish() {}
    }

    private let clock: any MonotonicClock
    private let pausedUntil: NIOLockedValueBox<ContinuousClock.Instant>

    package init(clock: any MonotonicClock = SystemClock()) {
        self.clock = clock
        pausedUntil = NIOLockedValueBox(clock.now)
    }

    package func acquire(_: Precedence) async throws -> any SendPermit {
        while true {
            if let permit = acquireAtOnce() { return permit }
            try await clock.sleep(until: pausedUntil.withLockedValue { $0 })
        }
    }

    package func acquireAtOnce() -> (any SendPermit)? { isPaused ? nil : Permit() }

    package var isPaused: Bool { pausedUntil.withLockedValue { clock.now < $0 } }

    package func pause(until instant: ContinuousClock.Instant) {
        pausedUntil.withLockedValue { $0 = max($0, instant) }
    }
}
