import AMQP
import Logging
import NIOConcurrencyHelpers
import Resilience

/// How many messages wait in the broker's queues: asked for now and then, and often while somebody looks.
final class QueueWatch: Sendable {
    private static let interval = Duration.seconds(15)
    private static let closeInterval = Duration.seconds(2)
    /// Whoever has looked within this time still does.
    private static let attention = Duration.seconds(10)

    private struct State {
        var names: [String] = []
        var messages: [String: Int] = [:]
        var lookedAt: ContinuousClock.Instant?
        var look = DrainSignal()
    }

    private let clock: any MonotonicClock
    private let state = NIOLockedValueBox(State())

    init(clock: any MonotonicClock) { self.clock = clock }

    var names: [String] {
        get { state.withLockedValue { $0.names } }
        set { state.withLockedValue { $0.names = newValue } }
    }

    /// Ready messages by queue; a queue that could not be asked for is not in it.
    var messages: [String: Int] { state.withLockedValue { $0.messages } }

    /// Tells that somebody looks.
    func look() {
        let now = clock.now
        let news = state.withLockedValue { state -> DrainSignal? in
            defer { state.lookedAt = now }
            return Self.isWatched(state.lookedAt, at: now) ? nil : state.look
        }
        news?.raise()
    }

    /// Asks over this connection until it ends or the task is cancelled.
    func run(on connection: AMQPConnection) async throws {
        defer { state.withLockedValue { $0.messages = [:] } }
        while true {
            try await read(connection)
            let (isWatched, look) = state.withLockedValue { state in
                state.look = DrainSignal()
                return (Self.isWatched(state.lookedAt, at: clock.now), state.look)
            }
            if isWatched {
                try await clock.sleep(for: Self.closeInterval)
            } else {
                // A look ends the long wait.
                try? await look.cancelWhenRaised { [clock] in try await clock.sleep(for: Self.interval) }
                try Task.checkCancellation()
            }
        }
    }

    private static func isWatched(_ lookedAt: ContinuousClock.Instant?, at now: ContinuousClock.Instant) -> Bool {
        lookedAt.map { now - $0 < attention } ?? false
    }

    private func read(_ connection: AMQPConnection) async throws {
        var channel = try await connection.openChannel()
        for name in names {
            do throws(AMQPError) {
                let count = try await channel.declare(AMQPQueue(name, passive: true)).messages
                state.withLockedValue { $0.messages[name] = count }
            } catch {
                // Without the queue the broker closes the channel.
                guard error.code == .channelClosed else { throw error }
                state.withLockedValue { _ = $0.messages.removeValue(forKey: name) }
                channel = try await connection.openChannel()
            }
        }
        try await channel.close()
    }
}
