import Foundation

/// What came of a run, in figures.
struct ChaosTable: CustomStringConvertible {
    private let record: ChaosRecord
    private let done: [Disturbance.Kind: Int]
    private let repeated: Int
    private let growths: [ChaosWatch.Growth]

    init(_ record: ChaosRecord, _ done: [Disturbance.Kind: Int], repeated: Int, _ growths: [ChaosWatch.Growth]) {
        self.record = record
        self.done = done
        self.repeated = repeated
        self.growths = growths
    }

    var description: String {
        var lines: [String] = ["disturbances: \(disturbances)"]
        lines.append("commands: \(record.commands.count) published, \(repeated) of them again")
        lines += ["outcomes: \(outcomes)", "events: \(events)", "requests: \(requests)"]
        for (number, application) in record.applications.enumerated() {
            for isGraph in [false, true] {
                let limited = ChaosRecord.Limited(application: application.id, isGraph: isGraph)
                let api = isGraph ? "Graph" : "Partner Center"
                lines.append("\(number) (\(application.ordering)), \(api): \(Self.rate(record.arrivals(at: limited)))")
            }
        }
        lines += growths.map { "\($0.name): \($0.early) in the beginning; \($0.late) in the end" }
        return lines.map { "chaos: \($0)" }.joined(separator: "\n")
    }

    private var disturbances: String {
        Disturbance.Kind.allCases.compactMap { kind in done[kind].map { "\(kind.rawValue) \($0)" } }
            .joined(separator: ", ")
    }

    private var outcomes: String {
        let names = record.events.values.map { entries -> String in
            // Should two differ, the successful one counts.
            let entry = entries.first { $0.outcome == "succeeded" } ?? entries[0]
            return [entry.outcome, entry.effect, entry.category].compactMap(\.self).joined(separator: "/")
        }
        let counts = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
        return counts.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private var events: String {
        let all = record.events.values
        let again = all.map { $0.count - 1 }.reduce(0, +)
        let otherwise = all.count { Set($0.map(\.outcome)).count > 1 }
        let redelivered = all.count { entries in entries.contains { $0.deliveries > 1 } }
        return "\(again) came again with the same ID, \(otherwise) of them ended otherwise; "
            + "\(redelivered) commands were redelivered"
    }

    private var requests: String {
        let requests = record.arrivals.filter { $0.kind != "token" }
        let repeats = requests.count { $0.repeated }
        let unanswered = requests.count { $0.status == nil }
        let refused = requests.count { !$0.admitted }
        return "\(requests.count), \(repeats) repeated after their effect, \(unanswered) never answered, "
            + "\(refused) refused by the limit; \(record.arrivals.count - requests.count) for tokens"
    }

    private static func rate(_ arrivals: ArrivalRecord) -> String {
        guard let first = arrivals.stamps.first else { return "no requests" }
        let gap = arrivals.longestGap(after: first)
        return "\(arrivals.stamps.count) requests, at most \(arrivals.worstWindow) in a sliding second "
            + "(\(arrivals.stalls.count) stalls), longest pause \(rounded(gap.seconds)) s, "
            + "\(rounded(Double(gap.from - first) / 1e9)) s after the first"
    }
}
