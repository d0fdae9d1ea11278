import AMQP
import ConsentContract
import NIOConcurrencyHelpers
import Resilience

/// Whether an operator has paused an application. The broker keeps it, so it holds for the whole fleet and through
/// restarts: a message lies in the application's pause queue for as long.
final class OperatorPause: Sendable {
    private struct State {
        var isPaused = false
        var waiters: [OneShot<Bool>] = []
        /// Somebody has said that there is a change.
        var isTold = false
        /// When it is believed without that that the pause is over.
        var doubtEnd: ContinuousClock.Instant?
    }

    /// Pods are told of changes; a notice that got lost costs as much.
    private static let interval = Duration.seconds(30)

    /// RabbitMQ also says that the queue is empty where its leader does not answer: seen for up to three seconds after
    /// the end of a node.
    private static let doubt = Duration.seconds(6)

    private let queue: String
    private let clock: any MonotonicClock
    private let bell = Bell()
    private let state = NIOLockedValueBox(State())

    init(of application: GUID, clock: any MonotonicClock) {
        queue = Topology.Name.pauseQueue(application)
        self.clock = clock
    }

    var isPaused: Bool { state.withLockedValue { $0.isPaused } }

    /// Returns when the application is paused, or is not.
    /// - Throws: `CancellationError` when the task is cancelled first.
    func wait(until paused: Bool) async throws(CancellationError) {
        while true {
            let change = OneShot<Bool>()
            let isReached = state.withLockedValue { state in
                if state.isPaused != paused { state.waiters.append(change) }
                return state.isPaused == paused
            }
            if isReached { return }
            guard await change.wait(orWhenCancelled: false) else { throw CancellationError() }
        }
    }

    /// Something may have changed.
    func lookAgain() {
        state.withLockedValue { $0.isTold = true }
        bell.ring()
    }

    /// - Returns: when to look again at the latest.
    @discardableResult
    func look(on connection: AMQPConnection) async throws -> ContinuousClock.Instant {
        let channel = try await connection.openChannel()
        let isPaused = try await channel.declare(AMQPQueue(queue, passive: true)).messages > 0
        try await channel.close()
        let now = clock.now
        let (doubtEnd, waiters) = state.withLockedValue { state -> (ContinuousClock.Instant?, [OneShot<Bool>]) in
            defer { state.isTold = false }
            if state.isPaused, !isPaused, !state.isTold {
                let end = state.doubtEnd ?? now + Self.doubt
                state.doubtEnd = end
                if end > now { return (end, []) }
            }
            state.doubtEnd = nil
            state.isPaused = isPaused
            defer { state.waiters = [] }
            return (nil, state.waiters)
        }
        for waiter in waiters { waiter.resolve(true) }
        return doubtEnd ?? now + Self.interval
    }

    /// Keeps looking until the task is cancelled or the connection ends.
    func watch(on connection: AMQPConnection) async throws {
        while true {
            let stroke = bell.arm()
            try await Bell.wait(for: stroke, until: try await look(on: connection), clock: clock)
        }
    }
}
