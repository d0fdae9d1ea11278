import Resilience

/// What happened in each second of the last minute. Pure: time comes in.
struct MinuteHistory: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// Whole seconds that are kept; the one that runs comes on top.
    static let length = 60

    struct Second: Sendable {
        /// Permits used.
        var sent = PerAPI { _ in 0 }
        /// Answered with 429.
        var throttled = PerAPI { _ in 0 }
        /// Came to nothing and are tried again.
        var failedRequests = PerAPI { _ in 0 }
        var outcomes = OutcomeCounts()
        var times = CommandTimes()
    }

    private let origin: Instant
    /// By the second's number modulo their count.
    private var seconds = [Second](repeating: Second(), count: length + 1)
    /// The second that runs, counted from `origin`.
    private var current = 0

    init(origin: Instant) { self.origin = origin }

    mutating func record(at now: Instant, _ change: (inout Second) -> Void) {
        advance(to: now)
        change(&seconds[current % seconds.count])
    }

    /// The last whole seconds, the oldest first, and behind them the one that runs.
    mutating func recent(at now: Instant) -> [Second] {
        advance(to: now)
        return (1...seconds.count).map { seconds[(current + $0) % seconds.count] }
    }

    private mutating func advance(to now: Instant) {
        let number = max(current, (now - origin).milliseconds / 1000)
        for passed in 0..<min(number - current, seconds.count) { seconds[(number - passed) % seconds.count] = Second() }
        current = number
    }
}
