import NIOConcurrencyHelpers
package import Resilience

/// A limiter for a key that only this process sends for: the exact log of its own sends.
package final class SendLogLimiter: RateLimiter {
    private struct State {
        var log: SendLog
        var whenUsed: OneShot<Bool>?
    }

    private let clock: any MonotonicClock
    private let state: NIOLockedValueBox<State>
    /// Keeps the order of arrival: only the one inside asks the log.
    private let turn = ConcurrencyGate(limit: 1)

    /// - Parameter startsFull: begin as if the whole limit had just been used: what a process before this one sent,
    ///   perhaps milliseconds ago, is not known.
    package init(limit: RateLimit, startsFull: Bool = false, clock: any MonotonicClock = SystemClock()) {
        self.clock = clock
        var log = SendLog(limit: limit, now: clock.now)
        if startsFull { log.pause(until: clock.now + limit.rest) }
        state = NIOLockedValueBox(State(log: log))
    }

    package func acquire() async throws -> any SendPermit {
        try await turn.withPlace {
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

    package func pause(until instant: ContinuousClock.Instant) {
        state.withLockedValue { $0.log.pause(until: instant) }
    }

    private func settle(_ change: (inout SendLog) -> Void) {
        let waiter = state.withLockedValue { state in
            defer { state.whenUsed = nil }
            change(&state.log)
            return state.whenUsed
        }
        waiter?.resolve(true)
    }

    private final class Permit: SendPermit {
        private let limiter: SendLogLimiter
        private let isOpen = NIOLockedValueBox(true)

        init(limiter: SendLogLimiter) { self.limiter = limiter }

        func use() -> Bool {
            guard close() else { return false }
            let now = limiter.clock.now
            limiter.settle { $0.use(at: now) }
            return true
        }

        func sent() {}

        func finish() {
            if close() { limiter.settle { $0.giveBack() } }
        }

        private func close() -> Bool {
            isOpen.withLockedValue { isOpen in
                defer { isOpen = false }
                return isOpen
            }
        }
    }
}
