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
        var first: OneShot<Bool>?
    }

    private static let trickle = Duration.seconds(1)

    private let policy: Policy
    private let clock: any MonotonicClock
    private let state: NIOLockedValueBox<State>
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
        let first = state.withLockedValue { state in
            state.left = min(state.left + policy.perSuccess, policy.reserve)
            defer { state.first = nil }
            return state.first
        }
        first?.resolve(true)
    }

    /// Takes one retry, as soon as there is one.
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    package func spend() async throws {
        try await turn.withPlace {
            while true {
                let refilled = OneShot<Bool>()
                guard let trickleAt = take(orWake: refilled) else { return }
                let timer = Task { [clock] in
                    try await clock.sleep(until: trickleAt)
                    refilled.resolve(true)
                }
                defer { timer.cancel() }
                guard await refilled.wait(orWhenCancelled: false) else { throw CancellationError() }
            }
        }
    }

    /// nil if a retry was taken, else when to come again at the latest.
    private func take(orWake waiter: OneShot<Bool>) -> ContinuousClock.Instant? {
        state.withLockedValue { state in
            let now = clock.now
            if state.left > 0 {
                state.left -= 1
            } else if now < state.trickleAt {
                state.first = waiter
                return state.trickleAt
            }
            state.trickleAt = now + Self.trickle
            return nil
        }
    }
}
