import ConsentContract
import MicrosoftAPI
import Resilience

extension StatusSnapshot {
    /// Something that a person should know, in words, with what to do about it.
    package struct Problem: Sendable, Hashable {
        package enum Severity: String, Sendable { case error, warning }

        package var severity: Severity
        package var text: String
        package var remedy: String
    }

    /// What is wrong at this moment, the worst first.
    package var problems: [Problem] {
        let all =
            reasons.map { error("This pod is not ready: \($0).", "Look at its log, and at the broker's.") }
            + breakers.filter(\.isOpen).map {
                error(
                    "\($0.title) fails most requests; commands wait for it.",
                    "They go on by themselves when it answers."
                )
            }
            + applications.flatMap { problems(of: $0) }
            + queues.compactMap { problem(of: $0) }
        return all.filter { $0.severity == .error } + all.filter { $0.severity == .warning }
    }

    private func problems(of application: Application) -> [Problem] {
        let id = application.applicationID
        var problems: [Problem] = []
        if application.ordering == .customer, application.owner == nil, isReady {
            problems.append(
                Problem(
                    severity: (application.waiting ?? 0) > 0 ? .error : .warning,
                    text: "This pod hears of none that owns application \(id).",
                    remedy: "One takes it over by itself soon; if none does, look at the pods' logs."
                )
            )
        }
        if application.isPaused {
            problems.append(
                warning(
                    "An operator has paused application \(id); its commands wait.",
                    "`consent-worker resume \(id)` lets them go on."
                )
            )
        }
        if !application.refusedPartners.isEmpty {
            let partners = application.refusedPartners
            let others = partners.count > 3 ? " and \(partners.count - 3) more" : ""
            let names = partners.prefix(3).map(\.description).joined(separator: ", ")
            problems.append(
                warning(
                    "The commands of partner \(names)\(others) for application \(id) fail: it has to sign in again.",
                    "Store its new token with `consent-worker tokens add`, then replay its dead letters."
                )
            )
        }
        for api in API.allCases { problems += self.problems(of: application.apis[api], api, application) }
        if application.lanes == 1, application.inHand >= application.prefetch {
            problems.append(
                warning(
                    "All \(application.inHand) commands in hand of application \(id) are one customer's; others wait behind.",
                    "Look at that customer's failures; a larger `prefetch` lets others pass."
                )
            )
        }
        if application.outcomes.failed > 0 {
            let count = application.outcomes.failed
            let latest = failures.first { $0.applicationID == id && $0.outcome == .failed }
            problems.append(
                warning(
                    "\(commands(count)) of application \(id) failed in the last minute"
                        + (latest.map { ", the latest with \($0.category.rawValue)." } ?? "."),
                    latest?.category.remedy ?? "See the failures below."
                )
            )
        }
        return problems
    }

    private func problems(of use: Use, _ api: API, _ application: Application) -> [Problem] {
        let id = application.applicationID
        var problems: [Problem] = []
        if use.throttled > 0 || use.pause != nil {
            let pause = use.pause.map { ", and asked for a pause of \($0.milliseconds / 1000 + 1) s more" } ?? ""
            problems.append(
                warning(
                    "\(api.title) throttles application \(id), though this fleet keeps its limit\(pause).",
                    "Look for another program that uses the same application ID, or lower the limit."
                )
            )
        }
        if use.failedRequests > 0 {
            let count = use.failedRequests
            problems.append(
                warning(
                    "\(count == 1 ? "1 request" : "\(count) requests") of application \(id) to \(api.title) came to "
                        + "nothing in the last minute and \(count == 1 ? "is" : "are") tried again.",
                    "Nothing to do if it passes; else look at Microsoft's service health and the network."
                )
            )
        }
        return problems
    }

    private func problem(of queue: Queue) -> Problem? {
        guard let messages = queue.messages, messages > 0 else { return nil }
        switch queue.name {
        case Topology.Name.deadLetters:
            return warning(
                messages == 1 ? "1 dead letter waits for a decision." : "\(messages) dead letters wait for a decision.",
                "`consent-worker dead-letters list` shows the commands that failed or were rejected; `replay` or `drop` them."
            )
        case Topology.Name.unclaimed:
            return warning(
                "\(messages == 1 ? "1 event" : "\(messages) events") reached no queue: none was bound.",
                "Bind the platform's queue to consent.events, then read consent.events.unclaimed."
            )
        default: return nil
        }
    }

    private func commands(_ count: Int) -> String { count == 1 ? "1 command" : "\(count) commands" }

    private func error(_ text: String, _ remedy: String) -> Problem {
        Problem(severity: .error, text: text, remedy: remedy)
    }

    private func warning(_ text: String, _ remedy: String) -> Problem {
        Problem(severity: .warning, text: text, remedy: remedy)
    }
}

extension API {
    /// As people call it.
    fileprivate var title: String {
        switch self {
        case .partnerCenter: "Partner Center"
        case .graph: "Microsoft Graph"
        }
    }
}
