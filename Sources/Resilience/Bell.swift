import NIOConcurrencyHelpers

/// Wakes one task that waits for any of several things. Arm it, look once more whether there is something to do,
/// then wait: what happens in between is not missed.
package final class Bell: Sendable {
    private let armed = NIOLockedValueBox<OneShot<Bool>?>(nil)

    package init() {}

    package func arm() -> OneShot<Bool> {
        let stroke = OneShot<Bool>()
        armed.withLockedValue { $0 = stroke }
        return stroke
    }

    package func ring() {
        let stroke = armed.withLockedValue { armed in
            defer { armed = nil }
            return armed
        }
        stroke?.resolve(true)
    }

    /// Returns when the bell has rung since it was armed, or at `instant`.
    package static func wait(
        for stroke: OneShot<Bool>,
        until instant: ContinuousClock.Instant?,
        clock: any MonotonicClock
    ) async throws(CancellationError) {
        let timer = instant.map { instant in
            Task {
                try await clock.sleep(until: instant)
                stroke.resolve(true)
            }
        }
        defer { timer?.cancel() }
        guard await stroke.wait(orWhenCancelled: false) else { throw CancellationError() }
    }
}
