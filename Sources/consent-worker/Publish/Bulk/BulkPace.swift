import ConsentContract

/// How long the rest takes: by the pace of the last half minute, and never shorter than the limit allows.
struct BulkPace {
    typealias Instant = ContinuousClock.Instant

    private static let span = Duration.seconds(30)
    private static let shortest = Duration.seconds(2)

    /// Commands without event, by application.
    private var left: [GUID: Int]
    /// What the limit lets through of an application in a second; absent without limit.
    private let limits: [GUID: Double]
    private var samples: [(at: Instant, ended: Int)]
    private var ended = 0

    init(left: [GUID: Int], limits: [GUID: Double], now: Instant) {
        self.left = left
        self.limits = limits
        samples = [(now, 0)]
    }

    mutating func end(_ application: GUID) {
        left[application, default: 1] -= 1
        ended += 1
    }

    /// To be called about once a second.
    mutating func sample(at now: Instant) {
        samples.append((now, ended))
        // The newest of those that are too old still marks the beginning.
        while samples.count > 2, now - samples[1].at >= Self.span { samples.removeFirst() }
    }

    /// Commands a second; nil until it can be told.
    func perSecond(at now: Instant) -> Double? {
        let elapsed = now - samples[0].at
        guard elapsed >= Self.shortest else { return nil }
        return Double(ended - samples[0].ended) / (elapsed / .seconds(1))
    }

    /// nil while nothing is known or nothing moves.
    func remaining(at now: Instant) -> Duration? {
        let total = left.values.reduce(0, +)
        let byLimit = left.compactMap { application, count in limits[application].map { Double(count) / $0 } }.max()
        switch perSecond(at: now) {
        case nil: return byLimit.map { .seconds($0) }
        case 0: return nil
        case let pace?: return .seconds(max(Double(total) / pace, byLimit ?? 0))
        }
    }
}

extension Duration {
    /// For people, in its two largest units.
    var words: String {
        let seconds = Int((self / .seconds(1)).rounded(.up))
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
        default: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
        }
    }
}
