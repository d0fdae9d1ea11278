import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// An API that works badly, without being down.
    @Suite(.timeLimit(.minutes(Load.isLong ? 20 : 5)))
    struct FaultyAPITests {
        /// What happens to a request, and how likely.
        private struct Trouble {
            let share: Double
            let action: JSONValue
            var afterEffect = false
        }

        private static let troubles = [
            Trouble(share: 0.15, action: ["status": ["status": 500]]),
            Trouble(share: 0.15, action: ["status": ["status": 500]], afterEffect: true),
            Trouble(share: 0.025, action: ["reset": [:]]),
            Trouble(share: 0.025, action: ["reset": [:]], afterEffect: true),
            Trouble(share: 0.025, action: ["hang": [:]]),
            Trouble(share: 0.025, action: ["hang": [:]], afterEffect: true),
            Trouble(share: 0.02, action: ["throttle": ["retryAfter": "1"]]),
        ]

        /// The simulator asks about one fault after the other: each gets its share of what those before leave.
        private static var faults: JSONValue {
            var left = 1.0
            let faults = troubles.map { trouble -> JSONValue in
                defer { left -= trouble.share }
                return [
                    "match": ["path": "applicationconsents"],
                    "probability": .number(JSONNumber(text: "\(trouble.share / left)")),
                    "action": trouble.action, "afterEffect": .bool(trouble.afterEffect),
                ]
            }
            return ["faults": .array(faults)]
        }

        /// Both commands, each after itself and after the other.
        private static let kinds = ["grant", "revoke", "revoke", "grant", "grant", "revoke", "grant"]

        @Test func everyCommandEndsOnceAndAsItsEventSays() async throws {
            let (count, customers) = Load.isLong ? (5000, 300) : (240, 60)
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(
                    application: ["limits: {partnerCenter: {requests: 1000}}"],
                    top: ["http: {timeout: 1s}", "retry: {base: 100ms, cap: 2s}", "log: {level: debug}"]
                )
                try await scene.simulator.inject(Self.faults)
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    let commands = (0..<count).map { index in
                        let (round, number) = (index / customers, index % customers)
                        return (
                            command: platform.command(
                                Self.kinds[(round + number) % Self.kinds.count],
                                customer: Platform.customer(number)
                            ), correlationID: "c-\(index)"
                        )
                    }
                    try await platform.publishAll(commands)
                    try await scene.withWorker { _ in
                        try await platform.waitForEvents(count, within: .seconds(Load.isLong ? 600 : 120))
                    }
                    let letters = try await platform.takeDeadLetters()
                    let events = Dictionary(grouping: platform.events, by: \.correlationID)
                    #expect(events.count == count && platform.events.count == count)
                    #expect(letters.count == platform.events.count { $0.outcome == "failed" })

                    let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                    let order = try CustomerOrder(of: arrivals, published: commands.map(\.correlationID))
                    order.expectKept()
                    order.expectNoneInterleaved()
                    expectEffects(of: platform.events, in: arrivals)
                    let open = try await expectState(
                        of: scene,
                        commands.map(\.correlationID),
                        events.mapValues { $0[0] }
                    )

                    expectBounded(arrivals.count, of: count)
                    print(
                        "faulty API: \(arrivals.count) requests for \(count) commands, "
                            + "\(arrivals.count { $0.status == 500 }) answered 500, \(arrivals.count { $0.status == 429 }) "
                            + "429, \(arrivals.count { $0.status == nil }) never; "
                            + "\(letters.count) commands failed, \(open) customers of \(customers) left unknown"
                    )
                }
            }
        }

        /// What the simulator did for a command is what its event says.
        private func expectEffects(of events: [Platform.Event], in arrivals: [SimulatorProcess.Arrival]) {
            let effects = Dictionary(grouping: arrivals.filter { $0.effect != nil && !$0.repeated }) {
                $0.correlationID ?? ""
            }
            for event in events {
                let done = effects[Correlation.header(event.correlationID)]?.map(\.effect) ?? []
                switch event.effect {
                case "granted", "revoked": #expect(done == [event.effect], "\(event.json.text)")
                case "none": #expect(done.isEmpty, "\(event.json.text)")
                // Its own doing, told to nobody, or another's; of an unknown one nothing more can be said.
                default: #expect(done.count <= 1, "\(event.json.text)")
                }
            }
        }

        /// Each customer's consent is what its commands' events add up to.
        /// - Returns: of how many customers the events leave it open.
        private func expectState(
            of scene: Scene,
            _ published: [String],
            _ events: [String: Platform.Event]
        ) async throws -> Int {
            var told: [String: Bool?] = [:]
            for event in published.compactMap({ events[$0] }) {
                let customer = event.data["customerId"]?.string ?? ""
                switch event.effect {
                case "granted", "alreadyGranted": told[customer] = .some(true)
                case "revoked", "alreadyRevoked": told[customer] = .some(false)
                case "unknown": told[customer] = .some(nil)
                default: break
                }
            }
            let consented = try await scene.simulator.consentedCustomers("\(scene.application)")
            for (customer, told) in told {
                guard let told else { continue }
                #expect(consented.contains(customer) == told, "customer \(customer)")
            }
            return told.values.count { $0 == nil }
        }

        /// In the long form what is asked for. In the short one what chance allows, six standard deviations up: the
        /// requests of a command are as many as throws until the first that meets no trouble.
        private func expectBounded(_ requests: Int, of count: Int) {
            let trouble = Self.troubles.map(\.share).reduce(0, +)
            let (mean, deviation) = (1 / (1 - trouble), trouble.squareRoot() / (1 - trouble))
            let chance = mean + 6 * deviation / Double(count).squareRoot()
            #expect(Double(requests) <= Double(count) * (Load.isLong ? 1.8 : chance))
            #expect(Double(requests) >= Double(count) * 1.3, "the faults did not happen")
        }

        @Test func anApplicationWhoseEveryRequestFailsRetriesNoMoreThanItsBudget() async throws {
            let (count, reserve) = (100, 20)
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(
                    application: ["limits: none"],
                    top: [
                        "retry: {base: 10ms, cap: 50ms, maxAttempts: 100, budget: {perSuccess: 2, reserve: \(reserve)}}",
                        "breaker: {minimumSamples: 10000}", "log: {level: debug}",
                    ]
                )
                try await scene.simulator.inject([
                    "match": ["path": "applicationconsents"], "action": ["status": ["status": 500]],
                ])
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    try await platform.publishAll(
                        (0..<count).map { (platform.command("grant", customer: Platform.customer($0)), "c-\($0)") }
                    )
                    try await scene.withWorker { _ in
                        let first = try await eventually("the first request") {
                            try await scene.simulator.arrivals(of: "\(scene.application)").first?.atNanoseconds
                        }
                        try await Task.sleep(for: .seconds(Load.isLong ? 30 : 4))
                        let seconds = Double(try await scene.simulator.now() - first) / 1e9
                        let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                        let retries = arrivals.count - Set(arrivals.map(\.correlationID)).count
                        print("faulty API: \(retries) retries of \(count) commands in \(rounded(seconds)) s")
                        #expect(Set(arrivals.map(\.correlationID)).count == count)
                        #expect(retries <= reserve + Int(seconds) + 1)
                        #expect(retries >= reserve)
                        // Not for ever: what succeeds pays for the others.
                        try await scene.simulator.clearFaults()
                        try await platform.waitForEvents(count, within: .seconds(30))
                    }
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                }
            }
        }
    }
}
