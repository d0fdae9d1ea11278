import ConsentContract
import Testing

/// Each promise is judged: a run that breaks it alone is found out.
struct VerdictTests {
    private static let application = GUID(constant: "11111111-1111-4111-8111-111111111111")
    private static let customer = Platform.customer(1)

    /// A grant, then a revocation, both as they should be.
    private static func good() -> ChaosRecord {
        var record = ChaosRecord(applications: [.init(id: application, ordering: .customer, weight: 1)])
        for (number, kind) in ["grant", "revoke"].enumerated() {
            let command = ChaosWorkload.Command(
                id: .random(),
                kind: kind,
                application: application,
                customer: customer
            )
            let effect = kind == "grant" ? "granted" : "revoked"
            record.commands.append(command)
            record.events["\(command.id)"] = [event(of: command, "succeeded", effect)]
            record.arrivals.append(arrival(of: command, at: number * 1_000_000_000, effect))
        }
        record.consented[application] = []
        return record
    }

    private static func event(
        of command: ChaosWorkload.Command,
        _ outcome: String,
        _ effect: String
    ) -> EventJournal.Entry {
        EventJournal.Entry(
            id: "\(Identifiers.event(command: command.id, generation: 0))",
            outcome: outcome,
            effect: effect,
            category: nil,
            deliveries: 1
        )
    }

    private static func arrival(
        of command: ChaosWorkload.Command,
        at nanoseconds: Int,
        _ effect: String?,
        repeated: Bool = false
    ) -> SimulatorProcess.Arrival {
        SimulatorProcess.Arrival(
            number: 1,
            atNanoseconds: nanoseconds,
            kind: command.kind,
            application: "\(command.application)",
            customer: command.customer,
            tenant: nil,
            requestID: nil,
            correlationID: "\(command.id)",
            traceparent: nil,
            tracestate: nil,
            status: 200,
            admitted: true,
            repeated: repeated,
            effect: effect
        )
    }

    private static func expect(_ violation: String, _ change: (inout ChaosRecord) -> Void) throws {
        var record = good()
        change(&record)
        let violations = try Verdict(record).violations
        #expect(violations.contains { $0.hasPrefix(violation) }, "\(violations)")
    }

    @Test func aRunThatKeepsEveryPromiseViolatesNone() throws {
        var record = Self.good()
        // Redelivered, repeated and told again: all as promised.
        let first = record.commands[0]
        record.events["\(first.id)"]?.append(Self.event(of: first, "succeeded", "granted"))
        record.arrivals.append(Self.arrival(of: first, at: 500_000_000, "granted", repeated: true))
        #expect(try Verdict(record).violations == [])
    }

    @Test func aLostCommandIsFound() throws {
        try Self.expect("commands without an event") { $0.events["\($0.commands[0].id)"] = nil }
    }

    @Test func anEventUnderAnotherIDIsFound() throws {
        try Self.expect("commands whose events have another ID") { record in
            let other = Self.event(of: record.commands[1], "succeeded", "granted")
            record.events["\(record.commands[0].id)"]?.append(other)
        }
    }

    @Test func anEventOfNobodyIsFound() throws {
        try Self.expect("events of nobody's command") { $0.events["nobody"] = [] }
    }

    @Test func anEffectThatWasDoneTwiceOrNotToldIsFound() throws {
        let what = "commands that took effect otherwise"
        try Self.expect(what) { $0.arrivals.append(Self.arrival(of: $0.commands[0], at: 100_000_000, "granted")) }
        try Self.expect(what) { $0.arrivals.removeFirst() }
        try Self.expect(what) { record in
            let first = record.commands[0]
            record.events["\(first.id)"] = [Self.event(of: first, "failed", "none")]
        }
    }

    @Test func aConsentThatIsNotAsToldIsFound() throws {
        try Self.expect("customers left otherwise") { $0.consented[Self.application] = [Self.customer] }
    }

    @Test func aFailureWithoutLetterIsFound() throws {
        try Self.expect("failed commands without a dead letter") { record in
            let first = record.commands[0]
            record.events["\(first.id)"]?.append(Self.event(of: first, "failed", "unknown"))
        }
    }

    @Test func aCommandThatWasOvertakenIsFound() throws {
        try Self.expect("customers whose order was not kept") { $0.commands.swapAt(0, 1) }
    }

    @Test func aBrokenLimitIsFoundUnlessTheSimulatorStoodStill() throws {
        func crowd(_ record: inout ChaosRecord) {
            let first = record.commands[0]
            record.arrivals += (1...50).map { Self.arrival(of: first, at: $0 * 10_000_000, nil) }
        }
        try Self.expect("limits broken") { crowd(&$0) }
        var record = Self.good()
        crowd(&record)
        record.stalls[.init(application: Self.application, isGraph: false)] = [-600_000_000...1_000_000_000]
        #expect(try Verdict(record).violations.allSatisfy { !$0.hasPrefix("limits broken") })
    }
}
