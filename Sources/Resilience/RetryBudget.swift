import NIOConcurrencyHelpers

/// Keeps retries in proportion to successes, so that trouble does not multiply the traffic: every retry takes one from
/// a reserve that successes fill again. An empty one lets a retry through each second, so that nothing waits for ever.
package final class RetryBudget: Sendable {
    package struct Policy: Sendable, Hashable {
        /// Retries that one success pays for.
        package var perSuccess: Int
        /// The most that is kept, and what there is at first.
        package var reserve: Int

        package init(perSuccess: Int = 2, reserve: Int = 100) {
            self.perSuccess = perSuccess
            self.reserve = reserve
        }
    }

    private struct State {
        var left: Int
        /// When the next retry is let through without a success.
        var trickleAt: ContinuousClock.Instant
    }

    private static let trickle = Duration.seconds(1)

    private let policy: Policy
    private let clock: any MonotonicClock
    private let state: NIOLockedValueBox<State>
    private let success = Bell()
    /// Keeps the order of arrival: only the one inside waits for a success.
    private let turn = ConcurrencyGate(limit: 1)

    package init(_ policy: Policy, clock: any MonotonicClock = SystemClock()) {
        self.policy = policy
        self.clock = clock
        state = NIOLockedValueBox(State(left: policy.reserve, trickleAt: clock.now))
    }

    /// What is left, in retries.
    package var left: Int { state.withLockedValue { $0.left } }

    package func succeeded() {
        state.withLockedValue { $0.left = min($0.left + policy.perSuccess, policy.reserve) }
        success.ring()
    }

    /// Takes one retry, as soon as there is one.
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    package func spend() async throws {
        try await turn.withPlace {
            while true {
                let stroke = success.arm()
                guard let trickleAt = take() else { return }
                try await Bell.wait(for: stroke, until: trickleAt, clock: clock)
            }
        }
    }

    /// nil if a retry was taken, else when to come again at the latest.
    private func take() -> ContinuousClock.Instant? {
        state.withLockedValue { state in
            let now = clock.now
            if state.left > 0 {
                state.left -= 1
            } else if now < state.trickleAt {
                return state.trickleAt
            }
            state.trickleAt = now + Self.trickle
            return nil
        }
    }
}
