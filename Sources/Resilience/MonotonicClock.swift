/// The clock that waits are measured on: never set back, counts while the machine sleeps (CLOCK_BOOTTIME on Linux).
///
/// A protocol so that tests drive time by hand.
package protocol MonotonicClock: Sendable {
    typealias Instant = ContinuousClock.Instant

    var now: Instant { get }

    /// Returns at or after `instant`; throws `CancellationError` when the task is cancelled.
    func sleep(until instant: Instant) async throws
}

extension MonotonicClock {
    package func sleep(for duration: Duration) async throws {
        try await sleep(until: now + duration)
    }
}

/// The machine's own clock.
package struct SystemClock: MonotonicClock {
    package init() {}

    package var now: Instant { ContinuousClock.now }

    package func sleep(until instant: Instant) async throws {
        try await ContinuousClock().sleep(until: instant)
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    package var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
