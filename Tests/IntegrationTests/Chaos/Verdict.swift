import ConsentContract

/// What was promised and not kept in a run, each with its evidence.
struct Verdict: Sendable {
    private let record: ChaosRecord
    private let arrivals: [String: [SimulatorProcess.Arrival]]

    init(_ record: ChaosRecord) {
        self.record = record
        arrivals = record.arrivalsByCommand
    }

    var violations: [String] {
        get throws {
            try [
                Self.list("commands without an event", unanswered),
                Self.list("commands whose events have another ID than theirs", misnamed),
                Self.list("events of nobody's command", strayEvents),
                Self.list("commands that took effect otherwise than their events say", mistold),
                Self.list("customers left otherwise than the events say", misstated),
                Self.list("failed commands without a dead letter", unburied),
                Self.list("customers whose order was not kept", disordered),
                Self.list("limits broken", overruns),
            ].compactMap(\.self)
        }
    }

    /// With some examples.
    private static func list(_ what: String, _ evidence: [String]) -> String? {
        evidence.isEmpty
            ? nil : (["\(what): \(evidence.count)"] + evidence.prefix(5).map { "  \($0)" }).joined(separator: "\n")
    }

    // MARK: - Events

    private var unanswered: [String] {
        record.commands.filter { events(of: $0).isEmpty }.map(describe)
    }

    /// One ID a command, the one that follows from the command's.
    private var misnamed: [String] {
        record.commands.filter { command in
            let id = "\(Identifiers.event(command: command.id, generation: 0))"
            return events(of: command).contains { $0.id != id }
        }.map(describe)
    }

    private var strayEvents: [String] {
        let known = Set(record.commands.map { "\($0.id)" })
        return record.events.keys.filter { !known.contains($0) }.sorted()
    }

    private var unburied: [String] {
        record.commands.filter { command in
            events(of: command).contains { ["failed", "rejected"].contains($0.outcome) }
                && !record.letters.contains("\(command.id)")
        }.map(describe)
    }

    // MARK: - Effects

    /// What the simulator did for a command is what the command's events say, and is done once.
    private var mistold: [String] {
        record.commands.filter { command in
            let done = effects(of: command)
            let told = Set(events(of: command).map(\.effect))
            if let change = told.first(where: { ["granted", "revoked"].contains($0) }) { return done != [change] }
            // Its own doing, told to nobody, or another's; of an unknown one nothing more can be said.
            return told.isSubset(of: ["none", "read"]) ? !done.isEmpty : done.count > 1
        }.map(describe)
    }

    /// Each customer's consent is what its commands' events add up to.
    private var misstated: [String] {
        var told: [String: (command: ChaosRecord.Command, isConsented: Bool?)] = [:]
        for command in record.commands {
            let key = "\(command.application)/\(command.customer)"
            switch truth(of: command) {
            case "granted", "alreadyGranted": told[key] = (command, true)
            case "revoked", "alreadyRevoked": told[key] = (command, false)
            case "unknown": told[key] = (command, nil)
            default: break
            }
        }
        return told.values.filter { command, isConsented in
            let consented = record.consented[command.application]?.contains(command.customer) ?? false
            return isConsented != nil && isConsented != consented
        }.map { describe($0.command) }
    }

    /// Should a second run have ended otherwise, `succeeded` is the truth.
    private func truth(of command: ChaosRecord.Command) -> String {
        let events = events(of: command)
        return events.first { $0.outcome == "succeeded" }?.effect
            ?? events.first { $0.effect == "unknown" }?.effect ?? events.first?.effect ?? "unknown"
    }

    // MARK: - Order and limits

    private var disordered: [String] {
        get throws {
            try record.applications.filter { $0.ordering == .customer }.flatMap { application in
                let commands = record.commands.filter { $0.application == application.id && $0.kind != "query" }
                let writes = commands.flatMap { arrivals["\($0.id)"] ?? [] }
                return try CustomerOrder(of: writes, published: commands.map { "\($0.id)" }).faults
            }
        }
    }

    private var overruns: [String] {
        record.applications.flatMap { application in
            [false, true].flatMap { isGraph in
                let limited = ChaosRecord.Limited(application: application.id, isGraph: isGraph)
                return record.arrivals(at: limited).certainViolations(of: limited.requests).map {
                    "\(application.ordering) \(application.id), \(isGraph ? "Graph" : "Partner Center"): "
                        + "\(limited.requests + 1) requests in \($0.milliseconds) ms at \($0.atNanoseconds)"
                }
            }
        }
    }

    // MARK: - Evidence

    private func events(of command: ChaosRecord.Command) -> [EventJournal.Entry] {
        record.events["\(command.id)"] ?? []
    }

    private func effects(of command: ChaosRecord.Command) -> [String] {
        (arrivals["\(command.id)"] ?? []).filter { !$0.repeated }.compactMap(\.effect)
    }

    private func describe(_ command: ChaosRecord.Command) -> String {
        let events = events(of: command).map {
            "\($0.outcome)/\($0.effect)/\($0.category ?? "-")/\($0.deliveries) \($0.id)"
        }
        let requests = (arrivals["\(command.id)"] ?? []).map {
            "\($0.atNanoseconds): \($0.status.map(String.init) ?? "no answer") \($0.effect ?? "-")"
                + ($0.repeated ? " repeated" : "") + " \($0.requestID ?? "")"
        }
        return "\(command.kind) \(command.id) for \(command.customer) of \(command.application): "
            + "events \(events), requests \(requests)"
    }
}
