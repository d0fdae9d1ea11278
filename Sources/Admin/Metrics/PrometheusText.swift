/// Samples in Prometheus's text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Every metric of the catalog has its header, also while there is nothing to say of it.
    static func write(_ samples: [MetricSample]) -> String {
        let byName = Dictionary(grouping: samples, by: \.key.name)
        var text = PrometheusText()
        for entry in MetricCatalog.entries { text.write(entry, byName[entry.name] ?? []) }
        let known = Set(MetricCatalog.entries.map(\.name))
        for (name, samples) in byName.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            for sample in samples { text.write(sample) }
        }
        return text.lines
    }

    private var lines = ""

    private mutating func write(_ entry: MetricCatalog.Entry, _ samples: [MetricSample]) {
        lines += "# HELP \(entry.name) \(entry.help)\n# TYPE \(entry.name) \(entry.kind.name)\n"
        for sample in samples.sorted(by: { Self.labels($0.key) < Self.labels($1.key) }) { write(sample) }
    }

    private mutating func write(_ sample: MetricSample) {
        switch sample.value {
        case .number(let value): write(sample.key.name, Self.labels(sample.key), value)
        case .histogram(let reading):
            var count = 0
            for (bound, size) in zip(reading.bounds, reading.counts) {
                count += size
                write("\(sample.key.name)_bucket", Self.labels(sample.key, bound: Self.number(bound)), Double(count))
            }
            let all = Double(reading.counts.reduce(0, +))
            write("\(sample.key.name)_bucket", Self.labels(sample.key, bound: "+Inf"), all)
            write("\(sample.key.name)_sum", Self.labels(sample.key), reading.sum)
            write("\(sample.key.name)_count", Self.labels(sample.key), all)
        }
    }

    private mutating func write(_ name: String, _ labels: String, _ value: Double) {
        lines += "\(name)\(labels) \(Self.number(value))\n"
    }

    private static func labels(_ key: MetricKey, bound: String? = nil) -> String {
        let pairs = key.labels.map { "\($0.name)=\"\(escaped($0.value))\"" } + (bound.map { ["le=\"\($0)\""] } ?? [])
        return pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += #"\\"#
            case "\"": text += #"\""#
            case "\n": text += #"\n"#
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    /// Whole numbers without a fraction, as people write them.
    private static func number(_ value: Double) -> String {
        value.magnitude < 1e15 && value == value.rounded() ? String(Int64(value)) : "\(value)"
    }
}

extension MetricCatalog.Entry.Kind {
    fileprivate var name: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}
