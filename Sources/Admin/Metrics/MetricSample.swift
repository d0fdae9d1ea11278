/// A metric's name and labels.
struct MetricKey: Sendable, Hashable {
    struct Label: Sendable, Hashable {
        let name: String
        let value: String
    }

    let name: String
    let labels: [Label]

    init(_ name: String, _ labels: [(String, String)] = []) {
        self.name = name
        self.labels = labels.map { Label(name: $0.0, value: $0.1) }
    }
}

/// What one metric says at one moment.
struct MetricSample: Sendable {
    enum Value: Sendable, Hashable {
        case number(Double)
        case histogram(HistogramMetric.Reading)
    }

    let key: MetricKey
    let value: Value

    init(_ key: MetricKey, _ value: Value) {
        self.key = key
        self.value = value
    }

    init(_ name: String, _ labels: [(String, String)], _ value: Double) {
        self.init(MetricKey(name, labels), .number(value))
    }

    init(_ name: String, _ value: Double) { self.init(name, [], value) }
}
