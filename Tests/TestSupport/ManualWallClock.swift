package import ConsentContract
import NIOConcurrencyHelpers

/// A time of day that stands still until a test moves it on.
package final class ManualWallClock: WallClock {
    private let state: NIOLockedValueBox<Timestamp>

    package init(now: Timestamp) { state = NIOLockedValueBox(now) }

    package var now: Timestamp { state.withLockedValue { $0 } }

    package func advance(by duration: Duration) {
        state.withLockedValue { now in now = now + duration }
    }
}
