/// Decides after a failed attempt whether there is another, and when. Pure: time and randomness come in.
package struct RetryPolicy: Sendable, Hashable {
    /// Attempts in all, the first included.
    package var maxAttempts: Int
    /// Time since the first attempt after which no attempt starts. Waiting on others (a pause, a permit) is not in it.
    package var maxElapsed: Duration
    package var backoff: Backoff
    /// A longer Retry-After is cut to this.
    package var retryAfterMax: Duration
    /// Of all retries of one application.
    package var budget: RetryBudget.Policy

    package init(
        maxAttempts: Int = 8,
        maxElapsed: Duration = .seconds(600),
        backoff: Backoff = Backoff(base: .milliseconds(500), cap: .seconds(60)),
        retryAfterMax: Duration = .seconds(600),
        budget: RetryBudget.Policy = RetryBudget.Policy()
    ) {
        self.maxAttempts = maxAttempts
        self.maxElapsed = maxElapsed
        self.backoff = backoff
        self.retryAfterMax = retryAfterMax
        self.budget = budget
    }

    package enum Decision: Sendable, Hashable {
        case retry(after: Duration)
        case giveUp(GiveUpReason)
    }

    package enum GiveUpReason: Sendable, Hashable {
        case attempts, elapsed, deadline
    }

    /// - Parameters:
    ///   - attempts: attempts made so far, at least 1.
    ///   - elapsed: time spent on them, waits imposed by others left out.
    ///   - remaining: time until the command's own deadline, if it has one.
    ///   - retryAfter: the least wait that the other side asked for.
    ///   - jitter: see ``Backoff/delay(afterAttempt:jitter:)``.
    package func decide(
        attempts: Int,
        elapsed: Duration,
        remaining: Duration? = nil,
        retryAfter: Duration? = nil,
        jitter: Double = .random(in: 0..<1)
    ) -> Decision {
        guard attempts < maxAttempts else { return .giveUp(.attempts) }
        var delay = backoff.delay(afterAttempt: attempts, jitter: jitter)
        if let retryAfter { delay = max(delay, clamped(retryAfter)) }
        guard elapsed + delay < maxElapsed else { return .giveUp(.elapsed) }
        if let remaining, delay >= remaining { return .giveUp(.deadline) }
        return .retry(after: delay)
    }

    /// How long a throttled key rests: what the other side asked for within bounds, else the backoff's cap for the
    /// number of 429s in a row.
    package func throttlePause(retryAfter: Duration?, inARow count: Int) -> Duration {
        if let retryAfter { return clamped(retryAfter) }
        return backoff.bound(afterAttempt: count)
    }

    private func clamped(_ duration: Duration) -> Duration {
        min(max(duration, .zero), retryAfterMax)
    }
}
