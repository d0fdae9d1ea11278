import Yams

/// Takes typed values out of one mapping of the file, or of the environment, which wins; collects the faults.
///
/// A scalar's environment variable is its path in upper snake case: `CONSENT_RETRY_MAX_ATTEMPTS`. Items of lists have
/// none.
final class ConfigurationReader {
    /// Shared by the readers of one file.
    final class Findings {
        var faults: [ConfigurationError.Fault] = []
        /// What works but should not stay as it is.
        var warnings: [String] = []
    }

    let findings: Findings
    private let path: String
    private let variables: String?
    private let environment: [String: String]
    private var members: [(name: String, key: Node, value: Node)] = []
    private var known: Set<String> = []
    private let line: Int?

    convenience init(root: Node?, environment: [String: String]) {
        self.init(root, path: "", variables: "CONSENT", environment: environment, findings: Findings())
    }

    private init(
        _ node: Node?,
        path: String,
        variables: String?,
        environment: [String: String],
        findings: Findings
    ) {
        self.path = path
        self.variables = variables
        self.environment = environment
        self.findings = findings
        line = node?.mark?.line
        guard let node, !Self.isEmpty(node) else { return }
        guard let mapping = node.mapping else {
            findings.faults.append(.init(path: path, line: line, reason: "must be a mapping of keys to values"))
            return
        }
        for (key, value) in mapping {
            members.append((key.string ?? "", key, value))
        }
    }

    // MARK: - Structure

    /// The mapping below `name`; readable also where the file has none, so that the environment can fill it.
    func section(_ name: String) -> ConfigurationReader {
        ConfigurationReader(
            node(name),
            path: join(name),
            variables: variables.map { "\($0)_\(Self.snake(name))" },
            environment: environment,
            findings: findings
        )
    }

    /// The mappings in the list below `name`; nil with a fault if there is no list.
    func list(_ name: String) -> [ConfigurationReader] {
        guard let node = node(name), !Self.isEmpty(node) else { return [] }
        guard let sequence = node.sequence else {
            fault(name, "must be a list")
            return []
        }
        return sequence.enumerated().map { index, item in
            ConfigurationReader(
                item,
                path: "\(join(name))[\(index)]",
                variables: nil,
                environment: environment,
                findings: findings
            )
        }
    }

    func strings(_ name: String) -> [String]? {
        guard let node = node(name), !Self.isEmpty(node) else { return nil }
        guard let sequence = node.sequence, !sequence.contains(where: { $0.string == nil }) else {
            fault(name, "must be a list of texts")
            return nil
        }
        return sequence.compactMap(\.string)
    }

    /// Reports keys that nobody asked for. Called once everything was read.
    func refuseUnknownKeys() {
        for member in members where !known.contains(member.name) {
            findings.faults.append(
                .init(
                    path: join(Self.shown(member.name)),
                    line: member.key.mark?.line,
                    reason: "is not a known key; known here: \(known.sorted().joined(separator: ", "))"
                )
            )
        }
        var seen: Set<String> = []
        for member in members where !seen.insert(member.name).inserted {
            fault(Self.shown(member.name), "occurs more than once")
        }
    }

    /// What looks like no key may be a value in its place, an address with its password for one.
    private static func shown(_ key: String) -> String {
        let isName = key.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isName && key.utf8.count <= 64 ? key : "(no name)"
    }

    func fault(_ name: String, _ reason: String) {
        let node = members.first { $0.name == name }?.value
        findings.faults.append(.init(path: join(name), line: node?.mark?.line ?? line, reason: reason))
    }

    /// Whether the file or the environment says anything under this name.
    func has(_ name: String) -> Bool {
        fromEnvironment(name) != nil || node(name).map { !Self.isEmpty($0) } ?? false
    }

    // MARK: - Scalars

    func string(_ name: String) -> String? { scalar(name) }

    func string(_ name: String, default value: String) -> String { scalar(name) ?? value }

    func required(_ name: String) -> String? {
        let value = scalar(name)
        if value == nil { fault(name, "is missing") }
        return value
    }

    func int(_ name: String, default value: Int, _ range: ClosedRange<Int>) -> Int {
        guard let text = scalar(name) else { return value }
        guard let number = Int(text), range.contains(number) else {
            fault(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return value
        }
        return number
    }

    /// A share of a whole, above 0 and at most 1.
    func share(_ name: String, default value: Double) -> Double {
        guard let text = scalar(name) else { return value }
        guard let number = Double(text), number > 0, number <= 1 else {
            fault(name, "must be a number above 0 and at most 1, such as 0.8")
            return value
        }
        return number
    }

    /// From none to all.
    func ratio(_ name: String, default value: Double) -> Double {
        guard let text = scalar(name) else { return value }
        guard let number = Double(text), (0...1).contains(number) else {
            fault(name, "must be a number from 0 to 1, such as 0.1")
            return value
        }
        return number
    }

    func bool(_ name: String, default value: Bool) -> Bool {
        switch scalar(name) {
        case nil: return value
        case "true": return true
        case "false": return false
        default:
            fault(name, "must be true or false")
            return value
        }
    }

    func duration(_ name: String, default value: Duration, _ range: ClosedRange<Duration>) -> Duration {
        guard let text = scalar(name) else { return value }
        guard let duration = Duration(configured: text) else {
            fault(name, "must be a duration such as 250ms, 10s, 5m or 1h")
            return value
        }
        guard range.contains(duration) else {
            fault(name, "must be from \(range.lowerBound.configured) to \(range.upperBound.configured)")
            return value
        }
        return duration
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, default value: Choice) -> Choice
    where Choice.RawValue == String {
        guard let text = scalar(name) else { return value }
        guard let choice = Choice(rawValue: text) else {
            fault(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            return value
        }
        return choice
    }

    private func scalar(_ name: String) -> String? {
        let node = node(name)
        if let value = fromEnvironment(name) { return value }
        guard let node, !Self.isEmpty(node) else { return nil }
        guard let scalar = node.scalar else {
            fault(name, "must be a single value")
            return nil
        }
        return scalar.string
    }

    /// The single value, where a mapping may stand instead.
    func word(_ name: String) -> String? { fromEnvironment(name) ?? node(name)?.scalar?.string }

    func fromEnvironment(_ name: String) -> String? {
        variables.flatMap { environment["\($0)_\(Self.snake(name))"] }
    }

    private func node(_ name: String) -> Node? {
        known.insert(name)
        return members.first { $0.name == name }?.value
    }

    private func join(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private static func isEmpty(_ node: Node) -> Bool {
        node.scalar.map { $0.string.isEmpty || $0.string == "~" || $0.string == "null" } ?? false
    }

    /// `maxAttempts` is `MAX_ATTEMPTS`.
    private static func snake(_ name: String) -> String {
        name.map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
    }
}

extension Duration {
    /// Reads `250ms`, `10s`, `5m`, `1h`.
    init?(configured text: String) {
        for (unit, milliseconds) in [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)] {
            if text.hasSuffix(unit), let count = Int(text.dropLast(unit.count)), count >= 0, count <= 1_000_000_000 {
                self = .milliseconds(count * milliseconds)
                return
            }
        }
        return nil
    }

    /// As the configuration writes it.
    var configured: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        for (unit, size) in [("h", Int64(3_600_000)), ("m", 60_000), ("s", 1000)]
        where milliseconds >= size && milliseconds % size == 0 {
            return "\(milliseconds / size)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}
