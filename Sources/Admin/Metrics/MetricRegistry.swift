package import CoreMetrics
import NIOConcurrencyHelpers

/// The instruments of the process, and what they say as Prometheus's text.
///
/// Reading takes each instrument's own lock for a moment, so that whoever counts never waits for a scrape.
package final class MetricRegistry: MetricsFactory {
    private struct State {
        var counters: [MetricKey: CounterMetric] = [:]
        var gauges: [MetricKey: GaugeMetric] = [:]
        var histograms: [MetricKey: HistogramMetric] = [:]
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    /// Everything counted so far.
    func samples() -> [MetricSample] {
        let state = state.withLockedValue { $0 }
        return state.counters.map { MetricSample($0, .number(Double($1.value))) }
            + state.gauges.compactMap { key, gauge in gauge.value.map { MetricSample(key, .number($0)) } }
            + state.histograms.map { MetricSample($0, .histogram($1.reading)) }
    }

    // MARK: - Making

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        make(\.counters, label, dimensions) { CounterMetric(key: $0) }
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        // Nothing here records values to be aggregated other than times.
        make(\.gauges, label, dimensions) { GaugeMetric(key: $0) }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        make(\.gauges, label, dimensions) { GaugeMetric(key: $0) }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        make(\.histograms, label, dimensions) { HistogramMetric(key: $0) }
    }

    private func make<Metric>(
        _ kind: WritableKeyPath<State, [MetricKey: Metric]>,
        _ label: String,
        _ dimensions: [(String, String)],
        _ new: (MetricKey) -> Metric
    ) -> Metric {
        let key = MetricKey(label, dimensions)
        return state.withLockedValue { state in
            if let metric = state[keyPath: kind][key] { return metric }
            let metric = new(key)
            state[keyPath: kind][key] = metric
            return metric
        }
    }

    // MARK: - Forgetting

    package func destroyCounter(_ handler: any CounterHandler) {
        guard let metric = handler as? CounterMetric else { return }
        state.withLockedValue { $0.counters[metric.key] = nil }
    }

    package func destroyRecorder(_ handler: any RecorderHandler) {
        guard let metric = handler as? GaugeMetric else { return }
        state.withLockedValue { $0.gauges[metric.key] = nil }
    }

    package func destroyMeter(_ handler: any MeterHandler) {
        guard let metric = handler as? GaugeMetric else { return }
        state.withLockedValue { $0.gauges[metric.key] = nil }
    }

    package func destroyTimer(_ handler: any TimerHandler) {
        guard let metric = handler as? HistogramMetric else { return }
        state.withLockedValue { $0.histograms[metric.key] = nil }
    }
}
