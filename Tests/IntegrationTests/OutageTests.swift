import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension EnduranceTests {
    /// What is down for everybody costs time and nothing else: no command fails, and whoever is down is left in peace.
    @Suite(.timeLimit(.minutes(Load.isLong ? 20 : 5)))
    struct OutageTests {
        private static let serverError: JSONValue = ["status": ["status": 503]]
        private static let apiIsDown: JSONValue = ["match": ["path": "applicationconsents"], "action": serverError]

        /// More than a minute too in the long form: the window goes back to its queue then.
        @Test(arguments: Load.isLong ? [60, 100] : [8])
        func commandsWaitForAnAPIThatIsDownAndGoOnAtFullRate(seconds: Int) async throws {
            let count = Load.isLong ? 3000 : 320
            try await Scene.run { scene in
                try scene.configure(top: ["log: {level: debug}"])
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    try await platform.publishAll(
                        (0..<count).map { (platform.command("grant", customer: Platform.customer($0)), "c-\($0)") }
                    )
                    let (start, end) = try await scene.withWorker { worker in
                        try await platform.waitForEvents(100, within: .seconds(30))
                        try await scene.simulator.inject(Self.apiIsDown)
                        let start = try await scene.simulator.now()
                        try await Task.sleep(for: .seconds(seconds))
                        // Nothing is wrong with the worker itself.
                        #expect(try await worker.probe("readyz")?.status == 200)
                        let end = try await scene.simulator.now()
                        try await scene.simulator.clearFaults()
                        try await platform.waitForEvents(count, within: .seconds(30 + count / 25))
                        return (start, end)
                    }
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                    #expect(platform.events.count == count)
                    let wasHandedBack = platform.events.contains { $0.data["deliveries"] != 1 }
                    #expect(wasHandedBack || seconds < 70)
                    #expect(try await platform.depth(Topology.Name.deadLetters) == 0)
                    let record = try await ArrivalRecord(scene.simulator, "\(scene.application)")
                    let down = record.since(start).until(end)
                    let quiet = down.since(start + 5_000_000_000)
                    let recovery = try #require(record.recovery(after: end))
                    print(
                        "outage: \(seconds) s of 503 among \(count) commands: \(down.arrivals.count) requests in it, "
                            + "\(quiet.arrivals.count) after its first 5 s, most in a second \(quiet.worstWindow), "
                            + "full rate \(rounded(recovery)) s after its end, \(record.arrivals.count) requests in all"
                    )
                    #expect(down.arrivals.count > 0 && quiet.worstWindow <= 2)
                    #expect(recovery <= Load.patience(5))
                    #expect(record.violations(of: 50).isEmpty)
                }
            }
        }

        /// Too few requests for a share of failures.
        @Test(arguments: ["the API", "the identity host"])
        func aFewCommandsOutliveAnOutageToo(down: String) async throws {
            try await Scene.run { scene in
                try scene.configure(
                    // Each gives up after some two seconds, at the least one: the breaker's window.
                    top: ["retry: {maxAttempts: 30, base: 150ms, cap: 150ms}", "breaker: {window: 1s}"]
                )
                try await scene.declareTopology()
                let match: JSONValue = down == "the API" ? ["path": "applicationconsents"] : ["kind": "token"]
                try await scene.simulator.inject(["match": match, "action": ["status": ["status": 503]]])
                try await Platform.run(scene) { platform in
                    try await scene.withWorker { worker in
                        try await platform.publishAll(
                            (0..<15).map { (platform.command("grant", customer: Platform.customer($0 % 3)), "c-\($0)") }
                        )
                        _ = try await eventually("the worker takes it for an outage") {
                            try await worker.probe("readyz")?.body["down"]?.array?.count == 1 ? true : nil
                        }
                        try await scene.simulator.clearFaults()
                        try await platform.waitForEvents(15, within: .seconds(60))
                        #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                        #expect(try await platform.depth(Topology.Name.deadLetters) == 0)
                    }
                }
            }
        }

        enum Restart: String, CaseIterable { case terminate, kill }

        @Test(arguments: Load.isLong ? Restart.allCases : [.terminate])
        func anOutageBeyondPatienceAndARestartInItKeepAllCommandsInOrder(restart: Restart) async throws {
            let patience = Load.isLong ? 3000 : 2000
            // So many requests a second that the outage comes in the middle, and retries do not wait for the limit.
            let (customers, rounds, limit) = Load.isLong ? (300, 4, 500) : (50, 8, 200)
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(
                    application: ["limits: {partnerCenter: {requests: \(limit)}}"],
                    top: [
                        "retry: {maxElapsed: \(patience)ms, base: 50ms, cap: 500ms}", "log: {level: debug}",
                    ]
                )
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    let commands = (0..<customers * rounds).map { index in
                        (
                            command: platform.command(
                                (index / customers) % 2 == 0 ? "grant" : "revoke",
                                customer: Platform.customer(index % customers)
                            ), correlationID: "c-\(index)"
                        )
                    }
                    try await platform.publishAll(commands)
                    let first = try await scene.startWorker()
                    try await platform.waitForEvents(customers / 2, within: .seconds(30))
                    try await scene.simulator.inject(Self.apiIsDown)
                    let start = try await scene.simulator.now()
                    // Each worker meets half of an outage of three times the patience, which is more than it has.
                    let half = Duration.milliseconds(patience * 3 / 2)
                    try await Task.sleep(for: half)
                    if restart == .kill { await first.kill() } else { #expect(await first.stop() == 0) }
                    let middle = try await scene.simulator.now()
                    try await scene.withWorker { second in
                        _ = try await eventually("the second worker owns the application") {
                            try await second.owns().contains("\(scene.application)") ? true : nil
                        }
                        try await Task.sleep(for: half)
                        let record = try await ArrivalRecord(scene.simulator, "\(scene.application)")
                        #expect(!record.since(start).until(middle).arrivals.isEmpty, "the first worker saw no outage")
                        #expect(!record.since(middle).arrivals.isEmpty, "the second worker saw no outage")
                        try await scene.simulator.clearFaults()
                        try await platform.waitForEvents(commands.count, within: .seconds(120))
                    }
                    let end = try await scene.simulator.now()
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                    #expect(try await platform.depth(Topology.Name.deadLetters) == 0)
                    // The last round revoked.
                    #expect(try await scene.simulator.consentedCustomers("\(scene.application)").isEmpty)
                    let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                    try CustomerOrder(of: arrivals, published: commands.map(\.correlationID)).expectKept()
                    #expect(arrivals.count { $0.effect != nil && !$0.repeated } == commands.count)
                    print(
                        "outage: \(restart) in an outage of 3 times \(patience) ms: \(arrivals.count) requests for "
                            + "\(commands.count) commands, \(platform.events.count - commands.count) events repeated, "
                            + "\(Double(end - start) / 1e9) s from its start to the last event"
                    )
                }
            }
        }

        /// After a minute the window goes back, and one command at a time finds out whether the outage is over.
        @Test func commandsOfACustomerKeepTheirOrderThroughAnOutageThatIsProbed() async throws {
            let (customers, rounds) = (20, 30)
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(
                    application: ["limits: {partnerCenter: {requests: 1000}}"],
                    top: ["breaker: {window: 2s}", "log: {level: debug}"]
                )
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    let commands = (0..<customers * rounds).map { index in
                        let kind = index / customers % 2 == 0 ? "grant" : "revoke"
                        return (
                            platform.command(kind, customer: Platform.customer(index % customers)), "c-\(index)"
                        )
                    }
                    try await scene.simulator.inject([
                        "match": ["path": "applicationconsents"], "action": ["status": ["status": 503]],
                    ])
                    try await platform.publishAll(commands)
                    try await scene.withWorker { worker in
                        _ = try await eventually("the window goes back", within: .seconds(120)) {
                            worker.log.contains("nothing can be sent for a while") ? true : nil
                        }
                        let refused = try await scene.simulator.arrivals(of: "\(scene.application)").count
                        _ = try await eventually("some probes") {
                            try await scene.simulator.arrivals(of: "\(scene.application)").count > refused + 2
                                ? true : nil
                        }
                        try await scene.simulator.clearFaults()
                        try await platform.waitForEvents(commands.count, within: .seconds(60))
                    }
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                    let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                    let order = try CustomerOrder(of: arrivals, published: commands.map(\.1))
                    order.expectKept()
                    order.expectEachTookEffect()
                    order.expectNoneInterleaved()
                }
            }
        }

        @Test func aColdStartWithoutIdentityHostWaitsForIt() async throws {
            let (partners, customers, seconds) = Load.isLong ? (60, 300, 60) : (20, 80, 6)
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(application: ["limits: none"], top: ["log: {level: debug}"])
                try await scene.declareTopology()
                let partnerIDs = (0..<partners).map { _ in GUID.random() }
                for partner in partnerIDs { try scene.addPartner(partner) }
                try await scene.simulator.inject(["match": ["kind": "token"], "action": Self.serverError])
                try await Platform.run(scene) { platform in
                    // Each customer's grant needs a token of its partner's, its query one of its own tenant's.
                    let commands = (0..<customers).flatMap { number in
                        let (partner, customer) = (partnerIDs[number % partners], Platform.customer(number))
                        return [
                            (platform.command("grant", partner: partner, customer: customer), "g-\(number)"),
                            (
                                platform.command(
                                    "query",
                                    partner: partner,
                                    customer: customer,
                                    ["query": ["operation": "list"]]
                                ), "q-\(number)"
                            ),
                        ]
                    }
                    try await platform.publishAll(commands.map { ($0.0, $0.1) })
                    let (start, end) = try await scene.withWorker { _ in
                        let start = try await eventually("a token is asked for") {
                            try await scene.simulator.tokenArrivals().first?.atNanoseconds
                        }
                        try await Task.sleep(for: .seconds(seconds))
                        #expect(platform.events.isEmpty)
                        let end = try await scene.simulator.now()
                        try await scene.simulator.clearFaults()
                        try await platform.waitForEvents(commands.count, within: .seconds(60))
                        return (start, end)
                    }
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" && $0.data["attempts"] == 1 })
                    #expect(try await platform.depth(Topology.Name.deadLetters) == 0)
                    let arrivals = try await scene.simulator.tokenArrivals()
                    let quiet = ArrivalRecord(
                        stamps: arrivals.map(\.atNanoseconds).filter { start + 4_000_000_000 <= $0 && $0 < end }
                    )
                    let answered = arrivals.count { $0.status == 200 }
                    print(
                        "outage: \(seconds) s without identity host: \(arrivals.count - answered) requests in it, "
                            + "\(quiet.stamps.count) after its first 4 s, \(answered) tokens for \(partners) partners "
                            + "and \(customers) customers"
                    )
                    #expect(quiet.worstWindow <= 2)
                    #expect(answered == partners + customers)
                }
            }
        }

        @Test func refusedCredentialsHoldTheirOwnApplicationOnly() async throws {
            let count = Load.isLong ? 500 : 50
            try await Scene.run(applications: 2, simulator: ["--limit", "none"]) { scene in
                try scene.configure(application: ["limits: none"])
                try await scene.declareTopology()
                let (refused, other) = (scene.applications[0], scene.applications[1])
                try await scene.simulator.inject([
                    "match": ["kind": "token", "application": .string("\(refused)")],
                    "action": ["tokenError": ["error": "invalid_client", "code": 7_000_222]],
                ])
                try await Platform.run(scene) { platform in
                    try await platform.publishAll(
                        (0..<count).flatMap { number in
                            scene.applications.map { application in
                                (
                                    platform.command(
                                        "grant",
                                        application: application,
                                        customer: Platform.customer(number)
                                    ), "\(application)-\(number)"
                                )
                            }
                        }
                    )
                    let worker = try await scene.startWorker(waitUntilReady: false)
                    try await platform.waitForEvents(count, within: .seconds(30))
                    let probe = try await eventually("readiness says why") {
                        let probe = try await worker.probe("readyz")
                        return probe?.status == 503 ? probe : nil
                    }
                    let reasons = probe.body["reasons"]?.array?.compactMap(\.string) ?? []
                    #expect(
                        reasons.contains { $0.contains("\(refused)") && $0.contains("secret") }
                            && !reasons.contains { $0.contains("\(other)") },
                        "\(reasons)"
                    )
                    #expect(
                        platform.events.allSatisfy {
                            $0.data["applicationId"]?.string == "\(other)" && $0.outcome == "succeeded"
                        }
                    )
                    try await scene.simulator.clearFaults()
                    try await platform.waitForEvents(2 * count, within: .seconds(60))
                    try await worker.waitUntilReady()
                    #expect(await worker.stop() == 0)
                    #expect(platform.events.count == 2 * count)
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" && $0.data["attempts"] == 1 })
                    #expect(try await platform.depth(Topology.Name.deadLetters) == 0)
                    let arrivals = try await scene.simulator.tokenArrivals()
                    print("outage: refused credentials: \(arrivals.count { $0.status == 401 }) requests for a token")
                    #expect(arrivals.count { $0.status == 401 } <= 3)
                }
            }
        }
    }
}
