import NIOConcurrencyHelpers

/// A value that one task waits for and the first of several others provides: the race between a result, a
/// cancellation and a shutdown in one place.
package final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case pending
        case waiting(CheckedContinuation<Value, Never>)
        case resolved(Value)
    }

    private let state = NIOLockedValueBox(State.pending)

    package init() {}

    /// Provides the value; false if another was first.
    @discardableResult
    package func resolve(_ value: Value) -> Bool {
        let (first, continuation) = state.withLockedValue {
            state -> (Bool, CheckedContinuation<Value, Never>?) in
            switch state {
            case .pending:
                state = .resolved(value)
                return (true, nil)
            case .waiting(let continuation):
                state = .resolved(value)
                return (true, continuation)
            case .resolved:
                return (false, nil)
            }
        }
        continuation?.resume(returning: value)
        return first
    }

    /// The value, as soon as it is there. For one waiter.
    package func wait() async -> Value {
        await withCheckedContinuation { continuation in
            let value = state.withLockedValue { state -> Value? in
                switch state {
                case .pending:
                    state = .waiting(continuation)
                    return nil
                case .waiting:
                    preconditionFailure("two waiters on one value")
                case .resolved(let value):
                    return value
                }
            }
            if let value { continuation.resume(returning: value) }
        }
    }

    /// The value, or `cancelled` as soon as the task is cancelled: whichever is first is what every party sees.
    package func wait(orWhenCancelled cancelled: Value) async -> Value {
        await withTaskCancellationHandler {
            await wait()
        } onCancel: {
            resolve(cancelled)
        }
    }
}
