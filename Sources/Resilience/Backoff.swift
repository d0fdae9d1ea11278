/// Exponential backoff with full jitter: a uniformly random wait below a bound that doubles with each attempt.
package struct Backoff: Sendable, Hashable {
    /// The bound before the second attempt.
    package var base: Duration
    /// The largest bound.
    package var cap: Duration

    package init(base: Duration, cap: Duration) {
        self.base = base
        self.cap = cap
    }

    /// The largest wait after the attempt of that number (1 is the first).
    package func bound(afterAttempt attempt: Int) -> Duration {
        // 2^30 times any sensible base is above any sensible cap; more would overflow.
        min(cap, base * (1 << min(max(attempt - 1, 0), 30)))
    }

    /// The wait after the attempt of that number.
    /// - Parameter jitter: which part of the bound, from 0 to below 1.
    package func delay(afterAttempt attempt: Int, jitter: Double = .random(in: 0..<1)) -> Duration {
        bound(afterAttempt: attempt) * jitter
    }
}
