import ConsentWorker
import Foundation
import JSON
import Testing

extension EnduranceTests {
    /// Commands of a customer take effect in the order in which they were published, whichever pod carries them out.
    @Suite(.timeLimit(.minutes(Load.isLong ? 60 : 5)))
    struct FleetOrderTests {
        enum End: String, CaseIterable { case kill, terminate }

        private static let customers = 200
        private static let rounds = 4

        @Test(arguments: End.allCases)
        func commandsOfACustomerTakeEffectInOrderAcrossPods(end: End) async throws {
            for _ in 0..<Load.repetitions { try await run(end) }
        }

        private func run(_ end: End) async throws {
            let count = Self.customers * Self.rounds
            try await Scene.run(simulator: ["--limit", "none", "--latency-ms", "20"]) { scene in
                try scene.configure(
                    application: ["ordering: customer", "limits: {partnerCenter: {requests: 150}}"],
                    top: [
                        "owner: {lease: \(Int(SaturatedFleet.lease))s}", "http: {timeout: 2s}",
                        "retry: {base: 20ms, cap: 200ms, maxAttempts: 50}", "log: {level: debug}",
                    ]
                )
                for fault in Self.faults { try await scene.simulator.inject(fault) }
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    let commands = (0..<count).map { index in
                        (
                            platform.command(
                                (index / Self.customers) % 2 == 0 ? "grant" : "revoke",
                                customer: Platform.customer(index % Self.customers)
                            ), "c-\(index)"
                        )
                    }
                    var pods = try await (0..<3).asyncMap { _ in try await scene.startWorker() }
                    try await platform.publishAll(commands.map { ($0.0, $0.1) })
                    for share in [count / 5, count / 2] {
                        try await platform.waitForEvents(share, within: .seconds(60))
                        let owner = try await owner(scene, pods)
                        #expect(Set(platform.events.map(\.correlationID)).count < count)
                        if end == .kill { await owner.kill() } else { #expect(await owner.stop() == 0) }
                        pods.removeAll { $0 === owner }
                        pods.append(try await scene.startWorker())
                    }
                    try await platform.waitForEvents(count, within: .seconds(120))
                    for pod in pods { #expect(await pod.stop() == 0) }
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                    for customer in 0..<Self.customers {
                        #expect(
                            try await !scene.simulator.isConsented(Platform.customer(customer), "\(scene.application)")
                        )
                    }
                    let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                    #expect(Set(arrivals.map(\.customer)).count == Self.customers)
                    let order = try CustomerOrder(of: arrivals, published: commands.map(\.1))
                    order.expectKept()
                    order.expectEachTookEffect()
                    print(
                        "fleet: order with two pods ended by \(end): \(arrivals.count) requests for \(count) commands, "
                            + "\(arrivals.count { $0.status == 500 }) answered 500, "
                            + "\(arrivals.count { $0.status == nil }) never, "
                            + "\(platform.events.count - count) events repeated"
                    )
                }
            }
        }

        /// A fifth fails, half of that after its effect; some never get an answer.
        private static let faults: [JSONValue] = [
            fault("0.01", ["hang": [:]]), fault("0.01", ["hang": [:]], afterEffect: true),
            fault("0.1", ["status": ["status": 500]]), fault("0.1", ["status": ["status": 500]], afterEffect: true),
        ]

        private static func fault(_ probability: String, _ action: JSONValue, afterEffect: Bool = false) -> JSONValue {
            [
                "match": ["path": "applicationconsents"], "probability": .number(JSONNumber(text: probability)),
                "action": action, "afterEffect": .bool(afterEffect),
            ]
        }

        private func owner(_ scene: Scene, _ pods: [WorkerProcess]) async throws -> WorkerProcess {
            try await eventually("a pod owns the application") {
                for pod in pods where try await pod.owns().contains("\(scene.application)") { return pod }
                return nil
            }
        }
    }
}
