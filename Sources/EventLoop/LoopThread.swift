import Glibc
import NIOConcurrencyHelpers

/// A detached POSIX thread that knows whether it is the current one.
final class LoopThread: Sendable {
    private let identity = NIOLockedValueBox<pthread_t?>(nil)

    var isCurrent: Bool {
        guard let identity = identity.withLockedValue({ $0 }) else { return false }
        return pthread_equal(identity, pthread_self()) != 0
    }

    /// Enough for the deepest headers that fit into an AMQP frame, which librabbitmq reads by recursion (4 MB for some
    /// 26,000 levels). By itself the C library takes the shell's limit, and 2 MB where that is `unlimited`.
    private static let stackBytes = 8 << 20

    /// Not isolated: a closure that inherits an actor's isolation traps when it runs on the new thread.
    nonisolated func start(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Body(thread: self, body: body))
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        let result = pthread_create(
            &thread,
            &attributes,
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
