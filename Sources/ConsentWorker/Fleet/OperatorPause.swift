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
    }

    /// Pods are told of changes; a notice that got lost costs as much.
    private static let interval = Duration.seconds(30)

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
    func lookAgain() { bell.ring() }

    func look(on connection: AMQPConnection) async throws {
        let channel = try await connection.openChannel()
        let isPaused = try await channel.declare(AMQPQueue(queue, passive: true)).messages > 0
        try await channel.close()
        let waiters = state.withLockedValue { state in
            state.isPaused = isPaused
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resolve(true) }
    }

    /// Keeps looking until the task is cancelled or the connection ends.
    func watch(on connection: AMQPConnection) async throws {
        while true {
            let stroke = bell.arm()
            try await look(on: connection)
            try await Bell.wait(for: stroke, until: clock.now + Self.interval, clock: clock)
        }
    }
}
