import EventLoop
import NIOConcurrencyHelpers
package import Resilience
import ServiceLifecycle

/// Publishes on a connection of its own until the broker has confirmed, across reconnects.
///
/// A message whose confirm was lost with a connection is published again: receivers drop duplicates by message ID.
package final class ConfirmedPublisher: Service, CustomStringConvertible {
    private struct State {
        var channel: AMQPChannel?
        var isBlocked = false
        var waiters: [OneShot<AMQPChannel?>] = []
        var unreadySince: ContinuousClock.Instant?

        /// The channel if messages can leave now.
        var ready: AMQPChannel? { isBlocked ? nil : channel }

        mutating func takeWaitersIfReady() -> [OneShot<AMQPChannel?>] {
            guard ready != nil else { return [] }
            defer { waiters = [] }
            return waiters
        }
    }

    private let connector: AMQPConnector
    private let clock: any MonotonicClock
    private let state: NIOLockedValueBox<State>

    package init(connector: AMQPConnector, clock: any MonotonicClock = SystemClock()) {
        self.connector = connector
        self.clock = clock
        state = NIOLockedValueBox(State(unreadySince: clock.now))
    }

    package var description: String { "publisher" }

    /// Whether messages can leave now.
    package var isReady: Bool { state.withLockedValue { $0.ready != nil } }

    /// Since when messages cannot leave; nil while they can.
    package var unreadySince: ContinuousClock.Instant? { state.withLockedValue { $0.unreadySince } }

    /// Keeps the connection until graceful shutdown or cancellation.
    package func run() async throws {
        try await connector.run(onBlocked: { [self] blocked in update { $0.isBlocked = blocked } }) { connection in
            let channel = try await connection.openChannel()
            try await channel.selectConfirms()
            update { $0.channel = channel }
            defer { update { $0.channel = nil } }
            do {
                throw try await cancelWhenGracefulShutdown { try await connection.waitUntilClosed() }
            } catch is CancellationError where Task.isShuttingDownGracefully {
                return
            }
        }
    }

    /// Returns when the broker has the message, or has returned or refused it.
    /// - Throws: `CancellationError` when the task is cancelled while there is no connection; the message may have been
    ///   published then.
    package func publish(_ message: AMQPMessage) async throws(CancellationError) -> AMQPChannel.PublishOutcome {
        var failures = 0
        while true {
            let channel = try await channel()
            do {
                return try await channel.publish(message)
            } catch  where error.code == .nacked {
                return .returned(reason: "the broker refused it; is a queue that is bound there full?")
            } catch {
                // A channel alone does not come back, for example after a publish to an exchange that was deleted.
                if error.code == .channelClosed { await channel.connection.abort(error) }
                failures += 1
                // The connection is about to be replaced: not at once again.
                do {
                    try await clock.sleep(for: .milliseconds(min(50 << min(failures, 6), 2000)))
                } catch {
                    throw CancellationError()
                }
            }
        }
    }

    /// Sends a message once, if it can leave now, and waits for nothing.
    /// - Parameter onLost: told why if no queue took it, as far as that comes to be known.
    package func offer(_ message: AMQPMessage, onLost: (@Sendable (String) -> Void)? = nil) {
        guard let channel = state.withLockedValue({ $0.ready }) else {
            onLost?("the broker takes no messages now")
            return
        }
        let pending = channel.startPublishing(message)
        guard let onLost else { return }
        Task {
            do throws(AMQPError) {
                if case .returned(let reason) = try await pending.outcome() { onLost(reason) }
            } catch {
                onLost("\(error)")
            }
        }
    }

    /// Returns as soon as messages can leave: nothing need be started whose result could not be told.
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    package func waitUntilReady() async throws(CancellationError) {
        _ = try await channel()
    }

    /// Returns as soon as the connection's thread has a turn, or at once while there is no connection.
    package func ping() async {
        await state.withLockedValue { $0.channel }?.connection.ping()
    }

    private func update(_ change: (inout State) -> Void) {
        let (waiters, channel) = state.withLockedValue { state in
            change(&state)
            state.unreadySince = state.ready == nil ? state.unreadySince ?? clock.now : nil
            return (state.takeWaitersIfReady(), state.ready)
        }
        for waiter in waiters { waiter.resolve(channel) }
    }

    private func channel() async throws(CancellationError) -> AMQPChannel {
        let waiter = OneShot<AMQPChannel?>()
        let channel = state.withLockedValue { state in
            if state.ready == nil { state.waiters.append(waiter) }
            return state.ready
        }
        if let channel { return channel }
        guard let channel = await waiter.wait(orWhenCancelled: nil) else { throw CancellationError() }
        return channel
    }
}
