import NIOConcurrencyHelpers
package import Resilience

/// A permit that came from the broker, from its delivery until it is laid to rest.
package final class HeldPermit: SendPermit {
    private enum State {
        case held
        case lent(until: ContinuousClock.Instant)
        case used
        case settled
    }

    package enum End: Sendable, Hashable { case used, unused }

    private let strict: Bool
    private let clock: any MonotonicClock
    private let isUsable: @Sendable (ContinuousClock.Instant) -> Bool
    private let rest: @Sendable (End) -> Void
    private let state = NIOLockedValueBox(State.held)

    /// - Parameters:
    ///   - strict: rest from the answer on, not from the send on.
    ///   - isUsable: whether anything may be sent now: the channel that brought the permit is there, nothing is paused.
    ///   - rest: has the broker lay the permit to rest; called at most once, on any thread.
    package init(
        strict: Bool,
        clock: any MonotonicClock,
        isUsable: @escaping @Sendable (ContinuousClock.Instant) -> Bool,
        rest: @escaping @Sendable (End) -> Void
    ) {
        self.strict = strict
        self.clock = clock
        self.isUsable = isUsable
        self.rest = rest
    }

    package func lend(until instant: ContinuousClock.Instant) {
        state.withLockedValue { state in
            switch state {
            case .held, .lent: state = .lent(until: instant)
            case .used, .settled: break
            }
        }
    }

    package func use() -> Bool {
        guard isUsable(clock.now) else { return false }
        return state.withLockedValue { state in
            // Read inside the lock: who waited for it long may be too late.
            guard case .lent(let until) = state, clock.now < until else { return false }
            state = .used
            return true
        }
    }

    package func sent() {
        if !strict { settle(ifUsed: true) }
    }

    package func finish() {
        settle(ifUsed: true)
        giveBack()
    }

    /// Ends the permit unless it has been used: then its request ends it.
    package func giveBack() { settle(ifUsed: false) }

    private func settle(ifUsed: Bool) {
        let isMine = state.withLockedValue { state in
            switch state {
            case .used where ifUsed, .held where !ifUsed, .lent where !ifUsed: state = .settled
            case .held, .lent, .used, .settled: return false
            }
            return true
        }
        if isMine { rest(ifUsed ? .used : .unused) }
    }
}
