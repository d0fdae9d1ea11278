import NIOConcurrencyHelpers

/// Tells a part of the process to start nothing more, while what runs is finished: raised once, seen by many.
package final class DrainSignal: Sendable {
    private struct State {
        var isRaised = false
        var nextID = 0
        var handlers: [Int: @Sendable () -> Void] = [:]
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    package var isRaised: Bool { state.withLockedValue { $0.isRaised } }

    package func raise() {
        let handlers = state.withLockedValue { state in
            state.isRaised = true
            defer { state.handlers = [:] }
            return state.handlers.values.map { $0 }
        }
        for handler in handlers { handler() }
    }

    /// Runs a wait, on the caller's actor, that ends with `CancellationError` when the signal is raised, before or
    /// meanwhile.
    package func cancelWhenRaised<Value: Sendable>(
        isolation: isolated (any Actor)? = #isolation,
        _ wait: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task {
            _ = isolation
            return try await wait()
        }
        let id = whenRaised { task.cancel() }
        defer { forget(id) }
        return try await withTaskCancellationHandler(
            operation: {
                _ = isolation
                return try await task.value
            },
            onCancel: { task.cancel() },
            isolation: isolation
        )
    }

    /// Returns when the signal is raised.
    /// - Throws: `CancellationError` when the task is cancelled first.
    package func wait() async throws(CancellationError) {
        let raised = OneShot<Bool>()
        let id = whenRaised { raised.resolve(true) }
        defer { forget(id) }
        guard await raised.wait(orWhenCancelled: false) else { throw CancellationError() }
    }

    func whenRaised(_ handler: @escaping @Sendable () -> Void) -> Int? {
        let id = state.withLockedValue { state -> Int? in
            guard !state.isRaised else { return nil }
            state.nextID += 1
            state.handlers[state.nextID] = handler
            return state.nextID
        }
        if id == nil { handler() }
        return id
    }

    func forget(_ id: Int?) {
        guard let id else { return }
        state.withLockedValue { _ = $0.handlers.removeValue(forKey: id) }
    }
}
