package import EventLoop
package import Logging
import Metrics
import NIOConcurrencyHelpers
package import Resilience
import ServiceLifecycle

/// Keeps one connection to a broker: connects, hands it to its user, and when it is lost connects again.
package struct AMQPConnector: Sendable {
    package let name: String
    private let endpoints: [AMQPEndpoint]
    private let options: AMQPOptions
    private let backoff: Backoff
    private let clock: any MonotonicClock
    private let logger: Logger

    /// - Parameters:
    ///   - name: `work`, `publish`, …; shown in logs and in the broker's management.
    ///   - endpoints: nodes of one cluster, tried in random order.
    package init(
        name: String,
        endpoints: [AMQPEndpoint],
        options: AMQPOptions,
        backoff: Backoff = Backoff(base: .milliseconds(100), cap: .seconds(2)),
        clock: any MonotonicClock = SystemClock(),
        logger: Logger
    ) {
        precondition(!endpoints.isEmpty, "a connector without an endpoint")
        self.name = name
        self.endpoints = endpoints
        self.options = options
        self.backoff = backoff
        self.clock = clock
        self.logger = logger
    }

    /// Connects once, to the first node that answers.
    package func connect(
        on loop: EventLoop,
        onBlocked: @escaping @Sendable (Bool) -> Void = { _ in }
    ) async throws(AMQPError) -> AMQPConnection {
        var failure = AMQPError(.unreachable, "no broker is configured")
        for endpoint in endpoints.shuffled() {
            do {
                return try await AMQPConnection.open(
                    endpoint,
                    options: options,
                    name: "consent-worker \(name)",
                    loop: loop,
                    logger: logger,
                    onBlocked: onBlocked
                )
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Runs `body` with a connection, again with a new one whenever it throws, until `body` returns, the task is
    /// cancelled, or a graceful shutdown finds no `body` running. A connection is closed when its `body` has ended.
    package func run(
        onBlocked: @escaping @Sendable (Bool) -> Void = { _ in },
        _ body: (AMQPConnection) async throws -> Void
    ) async throws {
        let loop = EventLoop(name: "amqp \(name)")
        defer { loop.stop() }
        let reconnects = Counter(label: "consent_broker_reconnects_total", dimensions: [("connection", name)])
        var failures = 0
        while !Task.isShuttingDownGracefully {
            try Task.checkCancellation()
            let started = clock.now
            do {
                let connection = try await connect(on: loop, onBlocked: onBlocked)
                logger.notice("connected to the broker", metadata: ["connection": "\(name)"])
                do {
                    try await body(connection)
                    return await connection.close()
                } catch {
                    await connection.close()
                    throw error
                }
            } catch let error as CancellationError {
                throw error
            } catch {
                onBlocked(false)
                reconnects.increment()
                // A connection that held for a while was a good one.
                failures = clock.now - started > backoff.cap ? 1 : failures + 1
                let delay = backoff.delay(afterAttempt: failures)
                logger.warning(
                    "no work with the broker for now",
                    metadata: [
                        "connection": "\(name)", "error": "\(error)", "retryIn": "\(delay.milliseconds)ms",
                    ]
                )
                await pause(delay)
            }
        }
    }

    /// Ends early at a shutdown; the loop above then sees it.
    private func pause(_ delay: Duration) async {
        let clock = clock
        try? await cancelWhenGracefulShutdown { try await clock.sleep(for: delay) }
    }
}
