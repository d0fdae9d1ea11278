import NIOConcurrencyHelpers
import Resilience

/// What happened, in order, and a way to wait for it.
package final class EventLog<Event: Sendable>: Sendable {
    private struct State {
        var events: [Event] = []
        var watchers: [(count: Int, reached: OneShot<Void>)] = []
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    package var events: [Event] { state.withLockedValue { $0.events } }

    package func append(_ event: Event) {
        let reached = state.withLockedValue { state in
            state.events.append(event)
            let count = state.events.count
            defer { state.watchers.removeAll { $0.count <= count } }
            return state.watchers.filter { $0.count <= count }.map(\.reached)
        }
        for watcher in reached { watcher.resolve(()) }
    }

    /// Returns once there are at least `count` events.
    package func when(_ count: Int) async {
        let reached = OneShot<Void>()
        state.withLockedValue { state in
            if state.events.count >= count {
                reached.resolve(())
            } else {
                state.watchers.append((count, reached))
            }
        }
        await reached.wait()
    }
}
