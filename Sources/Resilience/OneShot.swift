public import NIOConcurrencyHelpers

/// A value that one task waits for and the first of several others provides: the race between a result, a
/// cancellation and a shutdown in one place.
///
/// Every command waits for several: inlinable, so that it is compiled for its value's type, and public, since the compiler
/// does so for `package` only on request.
public final class OneShot<Value: Sendable>: Sendable {
    @usableFromInline
    enum State: Sendable {
        case pending
        case waiting(UnsafeContinuation<Value, Never>)
        case resolved(Value)
    }

    @usableFromInline
    let state = NIOLockedValueBox(State.pending)

    /// Without a value as yet.
    @inlinable
    public init() {}

    /// Provides the value; false if another was first.
    @discardableResult
    @inlinable
    public func resolve(_ value: Value) -> Bool {
        let (first, continuation) = state.withLockedValue {
            state -> (Bool, UnsafeContinuation<Value, Never>?) in
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
    @inlinable
    public func wait() async -> Value {
        // Resumed exactly once, as the state tells: the checked one would count that again, for each command.
        await withUnsafeContinuation { continuation in
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
    @inlinable
    public func wait(
        isolation: isolated (any Actor)? = #isolation,
        orWhenCancelled cancelled: Value
    ) async -> Value {
        await wait(onCancel: { resolve(cancelled) })
    }

    /// The value; `onCancel` is called as soon as the task is cancelled, and sees to it that there is one.
    @inlinable
    public func wait(
        isolation: isolated (any Actor)? = #isolation,
        onCancel: @Sendable () -> Void
    ) async -> Value {
        // An operation that does not name the isolation would run on the global executor: two hops for each wait.
        await withTaskCancellationHandler(
            operation: {
                _ = isolation
                return await wait()
            },
            onCancel: onCancel,
            isolation: isolation
        )
    }
}
