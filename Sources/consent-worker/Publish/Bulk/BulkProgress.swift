import Glibc

/// How far a run has come: a line that is written over on a terminal, else a line now and then.
struct BulkProgress {
    typealias Instant = ContinuousClock.Instant

    struct Figures: Equatable {
        var count = 0
        var ended = 0
        var notSucceeded = 0
        /// Commands a second; nil until it can be told.
        var pace: Double?
        var remaining: Duration?
        /// Since the last event or confirm.
        var silence = Duration.zero

        /// - Parameter width: of the bar, in characters; none at 0.
        func text(barWidth width: Int) -> String {
            var parts = ["\(ended) of \(count) (\(count == 0 ? 100 : ended * 100 / count) %)"]
            if width > 0 {
                let full = count == 0 ? width : ended * width / count
                parts[0] =
                    "[\(String(repeating: "#", count: full))\(String(repeating: ".", count: width - full))] "
                    + parts[0]
            }
            if notSucceeded > 0 { parts.append("\(notSucceeded) not succeeded") }
            if silence >= Self.longSilence {
                parts.append("no event for \(silence.words): does a worker run?")
            } else {
                if let pace { parts.append("\(Int(pace.rounded()))/s") }
                if let remaining { parts.append("\(remaining.words) left") }
            }
            return parts.joined(separator: ", ")
        }

        private static let longSilence = Duration.seconds(10)
    }

    private static let barWidth = 20
    private static let interval = Duration.seconds(10)

    private var line = ProgressLine()
    private var lastLine: Instant

    init(now: Instant) { lastLine = now }

    mutating func show(_ figures: Figures, at now: Instant) {
        if ProgressLine.isShown {
            line.show(figures.text(barWidth: Self.barWidth))
        } else if now - lastLine >= Self.interval {
            lastLine = now
            Terminal.complain(figures.text(barWidth: 0))
        }
    }

    mutating func clear() { line.clear() }
}
