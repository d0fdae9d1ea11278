import NIOConcurrencyHelpers

/// Lets something through at most once an interval, however often it is asked: what would fill a log is said once.
package final class Pacemaker: Sendable {
    private let interval: Duration
    private let next = NIOLockedValueBox<ContinuousClock.Instant?>(nil)

    package init(every interval: Duration) { self.interval = interval }

    package func allows(at now: ContinuousClock.Instant) -> Bool {
        next.withLockedValue { next in
            if let next, now < next { return false }
            next = now + interval
            return true
        }
    }
}
