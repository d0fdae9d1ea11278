import AMQP
import ConsentContract
import ConsentWorker
import JSON
import MicrosoftAPI

/// The fleet's state as people read it.
struct ReportText {
    let report: FleetReport
    let categories: [String: Int]?

    var text: String {
        ([applications] + permits + [pods, queues] + problems).joined(separator: "\n\n")
    }

    private var applications: String {
        TextTable(
            titles: ["APPLICATION", "STATE", "WAITING", "IN HAND", "AT THE LIMIT", "LAST MINUTE", "OWNER"],
            rows: report.applications.map { application in
                [
                    "\(application.applicationID)", state(of: application), "\(application.waiting)",
                    "\(application.inHand)", application.remaining.map(Self.time) ?? "no limit",
                    outcomes(application.outcomes), application.owner ?? "-",
                ]
            }
        ).text
    }

    /// Where all workers share a limit.
    private var permits: [String] {
        let rows = report.applications.flatMap { application in
            application.permits.map {
                ["\(application.applicationID)", $0.api.rawValue, "\($0.limit)", "\($0.ready)", "\($0.resting)"]
            }
        }
        guard !rows.isEmpty else { return [] }
        return [TextTable(titles: ["PERMITS OF", "API", "LIMIT", "READY", "RESTING"], rows: rows).text]
    }

    private func state(of application: FleetReport.Application) -> String {
        if application.isPaused { return "paused" }
        switch application.ordering {
        case .customer: return application.owner == nil ? "no owner" : "owned"
        case .none: return report.pods.isEmpty ? "no worker" : "shared"
        }
    }

    private func outcomes(_ counts: [Outcome: Int]) -> String {
        let parts = Outcome.allCases.compactMap { outcome in
            counts[outcome].flatMap { $0 > 0 ? "\($0) \(outcome.rawValue)" : nil }
        }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    private var pods: String {
        guard !report.pods.isEmpty else { return "No worker has answered." }
        let rows = report.pods.map { pod in
            let owned = pod["applications"]?.array?.count { $0["role"]?.string == "owner" } ?? 0
            return [
                Printable.text(pod["pod"]?.string ?? "?"), Printable.text(pod["version"]?.string ?? "?"),
                Self.time(.milliseconds(pod["uptimeMs"]?.int ?? 0)),
                pod["ready"]?.bool == true ? "ready" : "not ready", "\(owned)",
            ]
        }
        let table = TextTable(titles: ["WORKER", "VERSION", "UP", "STATE", "OWNS"], rows: rows).text
        guard !report.silent.isEmpty else { return table }
        return table + "\nDid not answer: \(report.silent.map(Printable.text).joined(separator: ", "))"
    }

    private var queues: String {
        var letters = "\(report.deadLetters) dead letters"
        if let categories, !categories.isEmpty {
            let parts = categories.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            letters += " (" + parts.map { "\($0.value) \(Printable.text($0.key))" }.joined(separator: ", ") + ")"
        }
        return """
            \(letters)
            \(report.unclaimed) events that no queue was bound for
            \(report.unroutable) commands for applications that are not configured
            """
    }

    /// Of all workers, each once.
    private var problems: [String] {
        var seen: Set<String> = []
        let lines = report.pods.flatMap { $0["problems"]?.array ?? [] }.compactMap { problem -> String? in
            guard let text = problem["text"]?.string, seen.insert(text).inserted else { return nil }
            return Printable.text("\(text) \(problem["remedy"]?.string ?? "")")
        }
        return lines.isEmpty ? [] : [lines.joined(separator: "\n")]
    }

    private static func time(_ duration: Duration) -> String {
        let seconds = Int(duration.components.seconds) + (duration.components.attoseconds > 0 ? 1 : 0)
        for (unit, size) in [("d", 86_400), ("h", 3600), ("min", 60)] where seconds >= 2 * size {
            return "\(seconds / size) \(unit)"
        }
        return "\(seconds) s"
    }
}
