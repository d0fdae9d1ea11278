import NIOConcurrencyHelpers
package import Resilience

/// A clock that stands still until a test moves it on.
package final class ManualClock: MonotonicClock {
    private struct Sleeper {
        let instant: Instant
        let end: OneShot<Bool>
    }

    private struct Watcher {
        let count: Int
        let reached: OneShot<Void>
    }

    private struct State {
        var now: Instant
        /// By the time they wake, those of one time in the order they came.
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []
    }

    private let state: NIOLockedValueBox<State>

    package init(now: Instant = .now) { state = NIOLockedValueBox(State(now: now)) }

    package var now: Instant { state.withLockedValue { $0.now } }

    package var sleepers: Int { state.withLockedValue { $0.sleepers.count } }

    package func sleep(until instant: Instant) async throws {
        try Task.checkCancellation()
        let end = OneShot<Bool>()
        let reached = state.withLockedValue { state -> [OneShot<Void>] in
            guard instant > state.now else {
                end.resolve(true)
                return []
            }
            let index = state.sleepers.firstIndex { $0.instant > instant } ?? state.sleepers.endIndex
            state.sleepers.insert(Sleeper(instant: instant, end: end), at: index)
            let count = state.sleepers.count
            defer { state.watchers.removeAll { $0.count <= count } }
            return state.watchers.filter { $0.count <= count }.map(\.reached)
        }
        for watcher in reached { watcher.resolve(()) }
        guard await end.wait(orWhenCancelled: false) else {
            state.withLockedValue { state in state.sleepers.removeAll { $0.end === end } }
            throw CancellationError()
        }
    }

    /// Moves on to where the clock stands `duration` later and wakes who was due by then, the earliest first.
    package func advance(by duration: Duration) {
        let due = state.withLockedValue { state -> [Sleeper] in
            state.now += duration
            let count = state.sleepers.firstIndex { [now = state.now] in $0.instant > now } ?? state.sleepers.count
            defer { state.sleepers.removeFirst(count) }
            return Array(state.sleepers[..<count])
        }
        for sleeper in due { sleeper.end.resolve(true) }
    }

    /// Moves on to the first sleeper's time and wakes all of that time.
    /// - Returns: how far, nil if nobody sleeps.
    @discardableResult
    package func advanceToNext() -> Duration? {
        guard let next = state.withLockedValue({ state in state.sleepers.first.map { $0.instant - state.now } }) else {
            return nil
        }
        advance(by: next)
        return next
    }

    /// Returns once at least `count` tasks sleep.
    package func whenSleeping(_ count: Int = 1) async {
        let reached = OneShot<Void>()
        state.withLockedValue { state in
            if state.sleepers.count >= count {
                reached.resolve(())
            } else {
                state.watchers.append(Watcher(count: count, reached: reached))
            }
        }
        await reached.wait()
    }
}
