import ConsentContract
import JSON

/// What has become of a run's commands.
struct BulkTally {
    private var outcomes: [String: Int] = [:]
    private var effects: [String: [String: Int]] = [:]
    /// By outcome and category.
    private var categories: [String: [String: Int]] = [:]
    /// Of each category, the error of one command.
    private var errors: [String: JSONValue] = [:]

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
            categories[entry.outcome, default: [:]][category, default: 0] += 1
            errors[category] = error
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
        for outcome in Outcome.allCases.map(\.rawValue) {
            guard let count = outcomes[outcome] else { continue }
            let parts = Self.byCount(effects[outcome] ?? [:]).filter { $0.name != Effect.none.rawValue }
                .map { "\($0.count) \($0.name)" }
            lines.append("  \(padded(count)) \(outcome)" + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")))
            for (name, count) in Self.byCount(categories[outcome] ?? [:]) {
                let who = errors[name]?["fixableBy"]?.string ?? "?"
                lines.append("    \(padded(count)) \(name) (\(who)): \(errors[name]?["remedy"]?.string ?? "")")
            }
        }
        return lines.joined(separator: "\n")
    }

    func json(results path: String, isInterrupted: Bool) -> JSONValue {
        let all = Self.byCount(categories.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) })
        let errors = all.map { name, count -> JSONValue in
            func member(_ member: String) -> JSONValue { self.errors[name]?[member] ?? .null }
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
