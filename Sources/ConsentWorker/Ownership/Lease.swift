import NIOConcurrencyHelpers
import Resilience

/// Until when this process may send for an application. Asked right before each request is written, on a clock that
/// counts while the process is stopped: whoever wakes from a pause finds it over.
final class Lease: Sendable {
    private let clock: any MonotonicClock
    private let end: NIOLockedValueBox<ContinuousClock.Instant>

    /// - Parameter end: of the first stretch; moved on by ``extend(to:)``.
    init(until end: ContinuousClock.Instant, clock: any MonotonicClock) {
        self.clock = clock
        self.end = NIOLockedValueBox(end)
    }

    var isValid: Bool { clock.now < expiry }

    var expiry: ContinuousClock.Instant { end.withLockedValue { $0 } }

    /// A lease that is over stays so.
    func extend(to instant: ContinuousClock.Instant) {
        let now = clock.now
        end.withLockedValue { end in
            if now < end { end = max(end, instant) }
        }
    }

    /// Gives it up before its time.
    func expire() { end.withLockedValue { [now = clock.now] in $0 = min($0, now) } }
}
