/// Lets some starts go back to back and spaces further ones: the API sees a stream, a lone command waits for nothing.
struct Pacing: Sendable {
    typealias Instant = ContinuousClock.Instant

    static let burst = 5

    private let spacing: Duration
    /// When the next start would be on schedule, were starts evenly spaced.
    private var schedule: Instant

    init(requests: Int, per rest: Duration, now: Instant) {
        spacing = rest / requests
        schedule = now
    }

    /// When the next start may be.
    var earliest: Instant { schedule - spacing * (Self.burst - 1) }

    mutating func started(at now: Instant) {
        schedule = max(schedule, now) + spacing
    }
}
