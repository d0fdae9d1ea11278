import NIOConcurrencyHelpers

/// A ``CircuitBreaker`` that many tasks share: an open one lets them wait, not fail.
package final class BreakerGate: Sendable {
    private struct State {
        var breaker: CircuitBreaker
        var waiting = 0
        var waiters: [OneShot<Bool>] = []
    }

    private let clock: any MonotonicClock
    private let onChange: @Sendable (_ isOpen: Bool) -> Void
    private let state: NIOLockedValueBox<State>

    /// - Parameter onChange: told of every opening and closing.
    package init(
        _ policy: CircuitBreaker.Policy,
        clock: any MonotonicClock = SystemClock(),
        onChange: @escaping @Sendable (_ isOpen: Bool) -> Void = { _ in }
    ) {
        self.clock = clock
        self.onChange = onChange
        state = NIOLockedValueBox(State(breaker: CircuitBreaker(policy)))
    }

    package var isOpen: Bool { state.withLockedValue { $0.breaker.isOpen } }

    /// Tasks that an open breaker keeps waiting.
    package var waiting: Int { state.withLockedValue { $0.waiting } }

    /// A pass if the breaker is closed.
    package func enterAtOnce() -> Pass? {
        state.withLockedValue { state in
            guard !state.breaker.isOpen, case .admitted(let pass) = state.breaker.admit(at: clock.now) else {
                return nil
            }
            return Pass(gate: self, pass: pass)
        }
    }

    /// Waits until the breaker is closed or it is this task's turn to probe.
    /// - Throws: `CancellationError` when the task is cancelled.
    package func enter() async throws -> Pass {
        state.withLockedValue { $0.waiting += 1 }
        defer { state.withLockedValue { $0.waiting -= 1 } }
        while true {
            try Task.checkCancellation()
            let waiter = OneShot<Bool>()
            let admission = state.withLockedValue { state in
                let admission = state.breaker.admit(at: clock.now)
                if case .admitted = admission {} else { state.waiters.append(waiter) }
                return admission
            }
            switch admission {
            case .admitted(let pass): return Pass(gate: self, pass: pass)
            case .whenProbed:
                guard await waiter.wait(orWhenCancelled: false) else { throw CancellationError() }
            case .notBefore(let instant):
                // One timer a waiter; the first to wake probes, and whoever is woken by a closing goes on at once.
                let timer = Task { [clock] in
                    try await clock.sleep(until: instant)
                    waiter.resolve(true)
                }
                defer { timer.cancel() }
                guard await waiter.wait(orWhenCancelled: false) else { throw CancellationError() }
            }
        }
    }

    /// The right to send one request. Ends with the first of its calls.
    package struct Pass: Sendable {
        fileprivate let gate: BreakerGate
        fileprivate let pass: CircuitBreaker.Pass

        /// False once the breaker has opened or closed.
        package var isValid: Bool { gate.state.withLockedValue { $0.breaker.isValid(pass) } }

        package func succeeded() { gate.settle { $0.succeeded(pass, at: $1) } }
        package func failed() { gate.settle { $0.failed(pass, at: $1) } }
        /// The other side lives, but says nothing about others' requests.
        package func throttled() { if pass.isProbe { succeeded() } else { abandoned() } }
        package func abandoned() { gate.settle { $0.abandoned(pass, at: $1) } }
    }

    /// Somebody's request has failed.
    package func note(failureOf party: String) { state.withLockedValue { $0.breaker.noted(failureOf: party) } }

    /// Whether this is an outage rather than the party's own trouble; see ``CircuitBreaker``.
    package func opens(insteadOfGivingUpBy party: String, since: ContinuousClock.Instant) -> Bool {
        settle { $0.opens(insteadOfGivingUpBy: party, since: since, at: $1) }
    }

    @discardableResult
    private func settle<Result>(_ change: (inout CircuitBreaker, ContinuousClock.Instant) -> Result) -> Result {
        let (result, waiters, isOpen) = state.withLockedValue { state -> (Result, [OneShot<Bool>], Bool?) in
            let wasOpen = state.breaker.isOpen
            let result = change(&state.breaker, clock.now)
            defer { state.waiters = [] }
            return (result, state.waiters, state.breaker.isOpen == wasOpen ? nil : state.breaker.isOpen)
        }
        if let isOpen { onChange(isOpen) }
        for waiter in waiters { waiter.resolve(true) }
        return result
    }
}
