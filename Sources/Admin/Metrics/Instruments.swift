import CoreMetrics
import NIOConcurrencyHelpers

final class CounterMetric: CounterHandler {
    let key: MetricKey
    private let count = NIOLockedValueBox<Int64>(0)

    init(key: MetricKey) { self.key = key }

    var value: Int64 { count.withLockedValue { $0 } }

    func increment(by amount: Int64) { count.withLockedValue { $0 &+= amount } }

    func reset() { count.withLockedValue { $0 = 0 } }
}

final class GaugeMetric: RecorderHandler, MeterHandler {
    let key: MetricKey
    private let latest = NIOLockedValueBox<Double?>(nil)

    init(key: MetricKey) { self.key = key }

    /// nil before the first.
    var value: Double? { latest.withLockedValue { $0 } }

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { latest.withLockedValue { $0 = value } }
    func increment(by amount: Double) { latest.withLockedValue { $0 = ($0 ?? 0) + amount } }
    func decrement(by amount: Double) { increment(by: -amount) }
}

/// Counts durations by how long they were.
final class HistogramMetric: TimerHandler {
    struct Reading: Sendable, Hashable {
        /// In seconds, ascending.
        let bounds: [Double]
        /// One more than bounds: the last is of what exceeds them all.
        var counts: [Int]
        var sum = 0.0

        init(bounds: [Double]) {
            self.bounds = bounds
            counts = Array(repeating: 0, count: bounds.count + 1)
        }
    }

    let key: MetricKey
    private let state: NIOLockedValueBox<Reading>

    init(key: MetricKey) {
        self.key = key
        guard case .histogram(let bounds) = MetricCatalog.entry(key.name)?.kind else {
            preconditionFailure("the histogram \(key.name) is not in the catalog")
        }
        state = NIOLockedValueBox(Reading(bounds: bounds))
    }

    var reading: Reading { state.withLockedValue { $0 } }

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        state.withLockedValue { state in
            state.counts[state.bounds.firstIndex { seconds <= $0 } ?? state.bounds.count] += 1
            state.sum += seconds
        }
    }
}
