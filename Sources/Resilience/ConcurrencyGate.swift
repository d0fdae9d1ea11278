import NIOConcurrencyHelpers

/// Lets a bounded number of tasks in at a time, in the order of a ``WaitingLine``.
package final class ConcurrencyGate: Sendable {
    private struct State {
        var free: Int
        var waiters = WaitingLine<OneShot<Bool>>()
    }

    private let state: NIOLockedValueBox<State>

    package init(limit: Int) {
        precondition(limit > 0, "a gate that lets nobody in")
        state = NIOLockedValueBox(State(free: limit))
    }

    /// Runs `body` inside the gate.
    /// - Throws: `CancellationError` when the task is cancelled while it waits; what `body` throws.
    package func withPlace<Result>(
        _ precedence: Precedence = .firstTry,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await enter(precedence)
        defer { leave() }
        return try await body()
    }

    /// Takes a place. Every successful call is followed by one ``leave()``.
    /// - Parameter drain: ends the wait when it is raised.
    /// - Throws: `CancellationError` when the task is cancelled, or the signal raised, before there is a place.
    package func enter(
        _ precedence: Precedence = .firstTry,
        until drain: DrainSignal? = nil
    ) async throws(CancellationError) {
        if let drain, drain.isRaised { throw CancellationError() }
        let waiter = state.withLockedValue { state -> OneShot<Bool>? in
            guard state.free == 0 else {
                state.free -= 1
                return nil
            }
            let waiter = OneShot<Bool>()
            state.waiters.append(waiter, precedence)
            return waiter
        }
        guard let waiter else { return }
        let signal = drain.flatMap { $0.whenRaised { waiter.resolve(false) } }
        defer { drain?.forget(signal) }
        guard await waiter.wait(orWhenCancelled: false) else { throw CancellationError() }
    }

    /// Takes a place if one is free.
    package func enterAtOnce() -> Bool {
        state.withLockedValue { state in
            guard state.free > 0 else { return false }
            state.free -= 1
            return true
        }
    }

    package func leave() {
        state.withLockedValue { state in
            // A waiter that was cancelled refuses the place; the next one gets it.
            while let waiter = state.waiters.popFirst() {
                if waiter.resolve(true) { return }
            }
            state.free += 1
        }
    }
}
