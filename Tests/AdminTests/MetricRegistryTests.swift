import CoreMetrics
import Testing

@testable import Admin

/// Instruments as the code below uses them.
struct MetricRegistryTests {
    private let registry = MetricRegistry()

    private func value(_ name: String, _ labels: [(String, String)] = []) -> Double? {
        let key = MetricKey(name, labels)
        guard case .number(let value) = registry.samples().first(where: { $0.key == key })?.value else { return nil }
        return value
    }

    @Test func instrumentsOfOneNameAndLabelsAreOne() {
        for _ in 1...3 {
            Counter(label: "consent_requests_total", dimensions: [("api", "graph")], factory: registry).increment(by: 2)
        }
        Counter(label: "consent_requests_total", dimensions: [("api", "partnerCenter")], factory: registry).increment()
        #expect(value("consent_requests_total", [("api", "graph")]) == 6)
        #expect(value("consent_requests_total", [("api", "partnerCenter")]) == 1)
    }

    @Test func aCounterIsThereBeforeItCounts() {
        _ = Counter(label: "consent_throttled_total", factory: registry)
        #expect(value("consent_throttled_total") == 0)
    }

    @Test func aGaugeSaysItsLatestValueAndIsForgottenWhenDestroyed() {
        let gauge = Gauge(label: "consent_refresh_token_expiry_timestamp_seconds", factory: registry)
        #expect(value("consent_refresh_token_expiry_timestamp_seconds") == nil)
        gauge.record(3)
        gauge.record(2.5)
        #expect(value("consent_refresh_token_expiry_timestamp_seconds") == 2.5)
        gauge.destroy()
        #expect(value("consent_refresh_token_expiry_timestamp_seconds") == nil)
    }

    @Test func aMeterGoesUpAndDown() {
        let meter = Meter(label: "consent_ready", factory: registry)
        meter.set(2)
        meter.increment(by: 3)
        meter.decrement(by: 1)
        #expect(value("consent_ready") == 4)
    }

    @Test func theProcessSaysWhatItUses() {
        let samples = Dictionary(uniqueKeysWithValues: ProcessFigures.samples().map { ($0.key.name, $0.value) })
        func number(_ name: String) -> Double {
            if case .number(let value) = samples[name] { value } else { -1 }
        }
        #expect(number("process_resident_memory_bytes") > 1_000_000)
        #expect(number("process_cpu_seconds_total") > 0)
        #expect(number("process_open_fds") > 2)
        #expect(number("process_start_time_seconds") > 1_700_000_000)
    }
}
