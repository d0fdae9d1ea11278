import JSON

/// What a replay has done so far.
struct ReplayTally {
    private(set) var replayed = 0
    private(set) var duplicates = 0
    /// Of the latest round: what is skipped stays, and is met again in the next.
    private var skipped: [String: Int] = [:]

    /// Letters that are gone from the queue.
    var settled: Int { replayed + duplicates }

    /// Acknowledgements of the latest round.
    private(set) var settledInRound = 0

    mutating func beginRound() {
        skipped = [:]
        settledInRound = 0
    }

    mutating func replay(duplicates count: Int) {
        replayed += 1
        duplicates += count
        settledInRound += 1 + count
    }

    /// For a letter that was counted before.
    mutating func settleAgain() { settledInRound += 1 }

    mutating func skip(_ reason: String) { skipped[reason, default: 0] += 1 }

    func json(isDryRun: Bool, isInterrupted: Bool) -> JSONValue {
        [
            "replayed": JSONValue(replayed), "duplicates": JSONValue(duplicates),
            "skipped": .array(reasons.map { ["reason": .string($0.key), "letters": JSONValue($0.value)] }),
            "dryRun": .bool(isDryRun), "interrupted": .bool(isInterrupted),
        ]
    }

    func text(isDryRun: Bool, isInterrupted: Bool) -> String {
        let would = isDryRun ? "Would replay" : "Replayed"
        var lines = ["\(would) \(replayed), \(isDryRun ? "remove" : "removed") \(duplicates) as duplicates."]
        lines += reasons.map { "\(isDryRun ? "Would skip" : "Skipped") \($0.value): \($0.key)." }
        if isInterrupted { lines.append("Interrupted; the other letters are where they were.") }
        return lines.joined(separator: "\n")
    }

    private var reasons: [(key: String, value: Int)] { skipped.sorted { $0.key < $1.key } }
}
