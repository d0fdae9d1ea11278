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
    package func enter(_ precedence: Precedence = .firstTry) async throws(CancellationError) {
        let waiter = state.withLockedValue { state -> OneShot<Bool>? in
            guard state.free == 0 else {
                state.free -= 1
                return nil
            }
            let waiter = OneShot<Bool>()
            state.waiters.append(waiter, precedence)
            return waiter
        }
        if let waiter, await !waiter.wait(orWhenCancelled: false) { throw CancellationError() }
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
