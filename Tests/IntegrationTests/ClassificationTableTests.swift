import ConsentContract
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// Every answer in ClassificationTable, over HTTP, for each kind of command.
    @Suite(.timeLimit(.minutes(5)))
    struct ClassificationTableTests {
        /// One row for one kind: a customer and a partner that no other case has.
        private struct Case {
            let row: ClassificationRow
            let kind: String
            let expected: ClassificationRow.Expected
            let customer: String
            let partner = GUID.random()

            var name: String { "\(row.name), \(kind)" }

            func fault(_ trouble: ClassificationRow.Trouble) -> JSONValue {
                var match = JSONObject()
                switch trouble.place {
                case .api:
                    match.append("kind", .string(kind == "query" ? "graph" : kind))
                    match.append(kind == "query" ? "tenant" : "customer", .string(customer))
                case .token, .partnerToken:
                    match.append("kind", "token")
                    let isCustomers = trouble.place == .token && kind == "query"
                    match.append("tenant", .string(isCustomers ? customer : "\(partner)"))
                }
                var fault = JSONObject()
                fault.append("match", .object(match))
                fault.append("action", trouble.action)
                fault.append("afterEffect", .bool(trouble.afterEffect))
                if let times = trouble.times { fault.append("times", JSONValue(times)) }
                return .object(fault)
            }
        }

        private static let cases: [Case] = {
            let all = ClassificationTable.rows.flatMap { row in
                [("grant", row.grant), ("revoke", row.revoke), ("query", row.query)].compactMap { kind, expected in
                    expected.map { (row, kind, $0) }
                }
            }
            return all.enumerated().map { Case(row: $1.0, kind: $1.1, expected: $1.2, customer: Platform.customer($0)) }
        }()

        @Test func everyAnswerMeansWhatTheTableSays() async throws {
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(
                    application: ["limits: none", "prefetch: 1000", "maxInFlight: 500"],
                    top: [
                        "retry: {maxAttempts: 2, base: 10ms, cap: 100ms, retryAfterMax: 1s, budget: {reserve: 1000}}",
                        // So much trouble on purpose is no outage, and so many requests at once are no hang.
                        "breaker: {minimumSamples: 10000}", "http: {timeout: 8s}", "log: {level: debug}",
                    ]
                )
                for item in Self.cases { try scene.addPartner(item.partner) }
                let faults = Self.cases.flatMap { item in item.row.troubles.map { item.fault($0) } }
                try await scene.simulator.inject(["faults": .array(faults)])
                try await scene.simulator.call(.post, "state", ["consents": .array(Self.presets(scene))])
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    try await platform.publishAll(
                        Self.cases.map { item in
                            (
                                platform.command(
                                    item.kind,
                                    partner: item.partner,
                                    customer: item.customer,
                                    item.kind == "query" ? ["query": ["operation": "list"]] : [:]
                                ), item.name
                            )
                        }
                    )
                    try await scene.withWorker { _ in
                        try await platform.waitForEvents(Self.cases.count, within: .seconds(60))
                    }
                    let letters = try await platform.takeDeadLetters()
                    #expect(letters.count == Self.cases.count { $0.expected.outcome == "failed" })
                    let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                    let byCustomer = Dictionary(grouping: arrivals) { $0.customer ?? $0.tenant ?? "" }
                    let events = Dictionary(grouping: platform.events, by: \.correlationID)
                    for item in Self.cases {
                        let event = try #require(events[item.name]?.first)
                        #expect(events[item.name]?.count == 1, "\(item.name)")
                        expect(item, event, byCustomer[item.customer] ?? [])
                    }
                    print("classification: \(Self.cases.count) cases, \(arrivals.count) requests")
                }
            }
        }

        /// A consent wherever a revoke is to take one, or a grant to find one.
        private static func presets(_ scene: Scene) -> [JSONValue] {
            cases.filter { ($0.kind == "revoke") != $0.row.isDoneBefore }.map {
                ["customer": .string($0.customer), "application": .string("\(scene.application)"), "consented": true]
            }
        }

        private func expect(_ item: Case, _ event: Platform.Event, _ arrivals: [SimulatorProcess.Arrival]) {
            let expected = item.expected
            let said = "\(item.name): \(event.json.text)"
            #expect(event.outcome == expected.outcome, "\(said)")
            #expect(event.effect == expected.effect, "\(said)")
            #expect(event.category == expected.category, "\(said)")
            #expect(event.data["error"]?["code"]?.string == expected.code, "\(said)")
            #expect(arrivals.count == expected.requests, "\(said)")
            #expect(Set(arrivals.map(\.requestID)).count == expected.requestIDs, "\(said)")
            // A throttled request is no attempt.
            #expect(event.data["attempts"]?.int == arrivals.count { $0.status != 429 }, "\(said)")
            if expected.outcome == "failed", let status = item.row.troubles.last?.status {
                #expect(event.data["error"]?["status"]?.int == status, "\(said)")
            }
            if item.row.wait > 0, arrivals.count > 1 {
                let waited = Double(arrivals[1].atNanoseconds - arrivals[0].atNanoseconds) / 1e9
                #expect(waited >= item.row.wait, "\(said)")
            }
        }
    }
}
