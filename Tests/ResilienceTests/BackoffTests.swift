import Resilience
import Testing

@Suite("Backoff and retry policy", .timeLimit(.minutes(1)))
struct BackoffTests {
    private let backoff = Backoff(base: .milliseconds(500), cap: .seconds(60))

    @Test("the bound doubles with each attempt up to the cap")
    func bounds() {
        let bounds = (1...9).map { backoff.bound(afterAttempt: $0).milliseconds }
        #expect(bounds == [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    }

    @Test("no attempt number overflows", arguments: [-1, 0, 1, 31, 32, 63, 64, 1000, Int.max])
    func extremes(attempt: Int) {
        #expect(backoff.bound(afterAttempt: attempt) == (attempt <= 1 ? .milliseconds(500) : .seconds(60)))
    }

    @Test("the wait is anything from nothing to just below the bound")
    func jitter() {
        #expect(backoff.delay(afterAttempt: 3, jitter: 0) == .zero)
        let delay = backoff.delay(afterAttempt: 3, jitter: 1.0.nextDown)
        #expect(delay < .seconds(2) && delay > .milliseconds(1999))
    }

    @Test("waits are spread over the whole range")
    func spread() {
        let delays = (0..<1000).map { _ in backoff.delay(afterAttempt: 1).milliseconds }
        for part in 0..<10 {
            #expect(delays.count { (part * 50..<part * 50 + 50).contains($0) } > 50)
        }
    }

    // MARK: - Retry policy

    private func decide(
        _ policy: RetryPolicy = RetryPolicy(),
        attempts: Int,
        elapsed: Duration = .zero,
        remaining: Duration? = nil,
        retryAfter: Duration? = nil
    ) -> RetryPolicy.Decision {
        policy.decide(
            attempts: attempts,
            elapsed: elapsed,
            remaining: remaining,
            retryAfter: retryAfter,
            jitter: 0.5
        )
    }

    @Test("the last attempt counts the first: eight attempts are eight calls")
    func attempts() {
        #expect(decide(attempts: 1) == .retry(after: .milliseconds(250)))
        #expect(decide(attempts: 7) == .retry(after: .seconds(16)))
        #expect(decide(attempts: 8) == .giveUp(.attempts))
    }

    @Test("no attempt starts at or after maxElapsed")
    func elapsed() {
        let bound = Duration.seconds(600) - .milliseconds(250)
        #expect(decide(attempts: 1, elapsed: bound - .nanoseconds(1)) == .retry(after: .milliseconds(250)))
        #expect(decide(attempts: 1, elapsed: bound) == .giveUp(.elapsed))
    }

    @Test("no attempt starts at or after the command's deadline")
    func deadline() {
        #expect(decide(attempts: 1, remaining: .milliseconds(251)) == .retry(after: .milliseconds(250)))
        #expect(decide(attempts: 1, remaining: .milliseconds(250)) == .giveUp(.deadline))
        #expect(decide(attempts: 1, remaining: .seconds(-1)) == .giveUp(.deadline))
    }

    @Test("Retry-After is the least wait, within bounds")
    func retryAfter() {
        #expect(decide(attempts: 1, retryAfter: .seconds(57)) == .retry(after: .seconds(57)))
        #expect(decide(attempts: 1, retryAfter: .milliseconds(10)) == .retry(after: .milliseconds(250)))
        #expect(decide(attempts: 1, retryAfter: .seconds(-5)) == .retry(after: .milliseconds(250)))
        let patient = RetryPolicy(maxElapsed: .seconds(3600), retryAfterMax: .seconds(90))
        #expect(decide(patient, attempts: 1, retryAfter: .seconds(10_000)) == .retry(after: .seconds(90)))
    }

    @Test("a throttled key rests as long as it was told, within bounds, else ever longer")
    func throttlePause() {
        let policy = RetryPolicy()
        #expect(policy.throttlePause(retryAfter: .seconds(57), inARow: 1) == .seconds(57))
        #expect(policy.throttlePause(retryAfter: .seconds(100_000), inARow: 1) == .seconds(600))
        #expect(policy.throttlePause(retryAfter: .seconds(-1), inARow: 1) == .zero)
        #expect((1...3).map { policy.throttlePause(retryAfter: nil, inARow: $0).milliseconds } == [500, 1000, 2000])
        #expect(policy.throttlePause(retryAfter: nil, inARow: 50) == .seconds(60))
    }

    @Test("milliseconds are rounded down")
    func milliseconds() {
        #expect(Duration.microseconds(1999).milliseconds == 1)
        #expect(Duration.seconds(3).milliseconds == 3000)
    }
}
