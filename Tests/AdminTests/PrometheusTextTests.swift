import CoreMetrics
import TestSupport
import Testing

@testable import Admin

/// What Prometheus reads.
struct PrometheusTextTests {
    private func lines(_ samples: [MetricSample], of name: String) -> [Substring] {
        PrometheusText.write(samples).split(separator: "\n").filter { $0.contains(name) }
    }

    @Test func aMetricHasItsMeaningItsTypeAndItsLabels() {
        let samples = [
            MetricSample("consent_queue_messages", [("queue", "b")], 2),
            MetricSample("consent_queue_messages", [("queue", "a")], 1.5),
        ]
        #expect(
            lines(samples, of: "consent_queue_messages") == [
                "# HELP consent_queue_messages Messages ready in a queue of the broker.",
                "# TYPE consent_queue_messages gauge",
                #"consent_queue_messages{queue="a"} 1.5"#,
                #"consent_queue_messages{queue="b"} 2"#,
            ]
        )
    }

    @Test func aLabelCannotBreakOutOfItsQuotes() {
        let sample = MetricSample("consent_ready", [("x", "a\\b\"c\nd")], 1)
        #expect(lines([sample], of: "consent_ready{") == [#"consent_ready{x="a\\b\"c\nd"} 1"#])
    }

    @Test func aHistogramCountsEachDurationInAllBoundsAboveIt() {
        let registry = MetricRegistry()
        let timer = registry.makeTimer(label: "consent_event_loop_lag_seconds", dimensions: [("loop", "work")])
        for milliseconds: Int64 in [1, 5, 6, 3000] { timer.recordNanoseconds(milliseconds * 1_000_000) }
        let lines = lines(registry.samples(), of: "consent_event_loop_lag_seconds_")
        #expect(lines.first == #"consent_event_loop_lag_seconds_bucket{loop="work",le="0.001"} 1"#)
        #expect(lines.contains(#"consent_event_loop_lag_seconds_bucket{loop="work",le="0.005"} 2"#))
        #expect(lines.contains(#"consent_event_loop_lag_seconds_bucket{loop="work",le="2.5"} 3"#))
        #expect(
            lines.suffix(3) == [
                #"consent_event_loop_lag_seconds_bucket{loop="work",le="+Inf"} 4"#,
                #"consent_event_loop_lag_seconds_sum{loop="work"} 3.012"#,
                #"consent_event_loop_lag_seconds_count{loop="work"} 4"#,
            ]
        )
    }

    @Test func theReadmeKnowsEveryMetric() {
        let readme = String(decoding: Fixtures.file("README.md").bytes, as: UTF8.self)
        for entry in MetricCatalog.entries { #expect(readme.contains("| `\(entry.name)` |"), "\(entry.name)") }
    }

    @Test func everyMetricIsAnnouncedBeforeItHasAValueAndHasAnHonestName() {
        let text = PrometheusText.write([])
        for entry in MetricCatalog.entries {
            #expect(text.contains("# HELP \(entry.name) \(entry.help)\n# TYPE \(entry.name) "))
            #expect(entry.name.hasSuffix("_total") == (entry.kind == .counter))
        }
        #expect(Set(MetricCatalog.entries.map(\.name)).count == MetricCatalog.entries.count)
    }
}
