import NIOConcurrencyHelpers
package import Resilience

/// A limiter for a key that only this process sends for: the exact log of its own sends.
package final class SendLogLimiter: RateLimiter {
    private struct State {
        var log: SendLog
        var whenUsed: OneShot<Bool>?
    }

    private let clock: any MonotonicClock
    private let strict: Bool
    private let state: NIOLockedValueBox<State>
    /// Keeps the order: only the one inside asks the log.
    private let turn = ConcurrencyGate(limit: 1)

    /// - Parameter strict: let a permit rest from the answer on, not from the send on.
    package init(limit: RateLimit, strict: Bool = false, clock: any MonotonicClock = SystemClock()) {
        self.clock = clock
        self.strict = strict
        state = NIOLockedValueBox(State(log: SendLog(limit: limit, now: clock.now)))
    }

    package func acquire(_ precedence: Precedence) async throws -> any SendPermit {
        try await turn.withPlace(precedence) {
            while true {
                let change = OneShot<Bool>()
                let admission = state.withLockedValue { state in
                    let admission = state.log.take(at: clock.now)
                    state.whenUsed = admission == .whenUsed ? change : nil
                    return admission
                }
                switch admission {
                case .admitted: return Permit(limiter: self)
                case .notBefore(let instant): try await clock.sleep(until: instant)
                case .whenUsed:
                    guard await change.wait(orWhenCancelled: false) else { throw CancellationError() }
                }
            }
        }
    }

    package func acquireAtOnce() -> (any SendPermit)? {
        guard turn.enterAtOnce() else { return nil }
        defer { turn.leave() }
        return state.withLockedValue { $0.log.take(at: clock.now) == .admitted } ? Permit(limiter: self) : nil
    }

    package func pause(until instant: ContinuousClock.Instant) {
        state.withLockedValue { $0.log.pause(until: instant) }
    }

    package var isPaused: Bool { state.withLockedValue { $0.log.isPaused(at: clock.now) } }

    private func settle(_ change: (inout SendLog) -> Void) {
        let waiter = state.withLockedValue { state in
            defer { state.whenUsed = nil }
            change(&state.log)
            return state.whenUsed
        }
        waiter?.resolve(true)
    }

    private final class Permit: SendPermit {
        private enum State { case open, used, over }

        private let limiter: SendLogLimiter
        private let state = NIOLockedValueBox(State.open)

        init(limiter: SendLogLimiter) { self.limiter = limiter }

        func use() -> Bool {
            guard change(from: .open, to: limiter.strict ? .used : .over) else { return false }
            if !limiter.strict { rest() }
            return true
        }

        func sent() {}

        func finish() {
            if change(from: .open, to: .over) {
                limiter.settle { $0.giveBack() }
            } else if change(from: .used, to: .over) {
                rest()
            }
        }

        /// Counts from now on for one window.
        private func rest() {
            let now = limiter.clock.now
            limiter.settle { $0.use(at: now) }
        }

        private func change(from old: State, to new: State) -> Bool {
            state.withLockedValue { state in
                guard state == old else { return false }
                state = new
                return true
            }
        }
    }
}
