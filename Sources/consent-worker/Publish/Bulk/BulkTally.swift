import ConsentContract
import JSON

/// What has become of a run's commands.
struct BulkTally {
    private var outcomes: [String: Int] = [:]
    private var effects: [String: [String: Int]] = [:]
    private var categories: [String: (count: Int, error: JSONValue)] = [:]

    private let commands: Int
    /// Published, but without event so far.
    private let underWay: Int

    init(_ results: some Sequence<ResultFile.Entry>, of commands: Int, underWay: Int = 0) {
        self.commands = commands
        self.underWay = underWay
        for entry in results {
            outcomes[entry.outcome, default: 0] += 1
            effects[entry.outcome, default: [:]][entry.effect, default: 0] += 1
            guard let error = entry.error else { continue }
            let category = error["category"]?.string ?? "?"
            categories[category, default: (0, error)].count += 1
        }
    }

    private var ended: Int { outcomes.values.reduce(0, +) }

    var notSucceeded: Int { ended - outcomes[Outcome.succeeded.rawValue, default: 0] }

    func text(results path: String) -> String {
        var lines = ["\(ended) of \(commands) commands have their result, in \(path):"]
        let width = String(outcomes.values.max() ?? 0).count
        func padded(_ count: Int) -> String {
            String(repeating: " ", count: max(0, width - String(count).count)) + String(count)
        }
        for outcome in Outcome.allCases {
            guard let count = outcomes[outcome.rawValue] else { continue }
            let parts = Self.byCount(effects[outcome.rawValue] ?? [:]).map { "\($0.name) \($0.count)" }
            lines.append("  \(padded(count))  \(outcome.rawValue): \(parts.joined(separator: ", "))")
        }
        for (name, count) in Self.byCount(categories.mapValues(\.count)) {
            let error = categories[name]?.error
            let who = error?["fixableBy"]?.string ?? "?"
            lines.append("  \(padded(count))  \(name) (\(who)): \(error?["remedy"]?.string ?? "")")
        }
        return lines.joined(separator: "\n")
    }

    func json(results path: String, isInterrupted: Bool) -> JSONValue {
        let errors = Self.byCount(categories.mapValues(\.count)).map { name, count -> JSONValue in
            let error = categories[name]?.error
            func member(_ name: String) -> JSONValue { error?[name] ?? .null }
            return [
                "category": .string(name), "commands": JSONValue(count), "retryable": member("retryable"),
                "fixableBy": member("fixableBy"), "remedy": member("remedy"),
            ]
        }
        return [
            "commands": JSONValue(commands), "ended": JSONValue(ended), "underWay": JSONValue(underWay),
            "outcomes": Self.object(outcomes),
            "effects": Self.object(effects.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }),
            "errors": .array(errors), "interrupted": .bool(isInterrupted), "results": .string(path),
        ]
    }

    /// The most frequent first.
    private static func byCount(_ counts: [String: Int]) -> [(name: String, count: Int)] {
        counts.map { (name: $0.key, count: $0.value) }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }

    private static func object(_ counts: [String: Int]) -> JSONValue {
        .object(JSONObject(members: byCount(counts).map { .init(name: $0.name, value: JSONValue($0.count)) }))
    }
}
