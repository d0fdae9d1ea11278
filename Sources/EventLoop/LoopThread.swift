import Glibc
import NIOConcurrencyHelpers

/// A detached POSIX thread that knows whether it is the current one.
final class LoopThread: Sendable {
    private let identity = NIOLockedValueBox<pthread_t?>(nil)

    var isCurrent: Bool {
        guard let identity = identity.withLockedValue({ $0 }) else { return false }
        return pthread_equal(identity, pthread_self()) != 0
    }

    /// Not isolated: a closure that inherits an actor's isolation traps when it runs on the new thread.
    nonisolated func start(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Body(thread: self, body: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                start.thread.identity.withLockedValue { $0 = pthread_self() }
                start.body()
                return nil
            },
            context.toOpaque()
        )
        precondition(result == 0, "no thread for an event loop: errno \(result)")
        pthread_detach(thread)
    }

    private final class Body: Sendable {
        let thread: LoopThread
        let body: @Sendable () -> Void

        init(thread: LoopThread, body: @escaping @Sendable () -> Void) {
            self.thread = thread
            self.body = body
        }
    }
}
