import Foundation
import JSON
import NIOConcurrencyHelpers

/// Does to a fleet what a plan says.
final class Disturber: Sendable {
    private let fleet: ChaosFleet
    private let nodes: [PrivateBroker]
    private let cluster: PrivateCluster?
    private let simulator: SimulatorProcess
    private let tokens: TokenVolume
    private let counts = NIOLockedValueBox<[Disturbance.Kind: Int]>([:])

    init(
        _ fleet: ChaosFleet,
        _ nodes: [PrivateBroker],
        _ cluster: PrivateCluster?,
        _ simulator: SimulatorProcess,
        _ tokens: TokenVolume
    ) {
        self.fleet = fleet
        self.nodes = nodes
        self.cluster = cluster
        self.simulator = simulator
        self.tokens = tokens
    }

    /// How often each thing was done.
    var done: [Disturbance.Kind: Int] { counts.withLockedValue { $0 } }

    /// Runs the whole plan; afterwards nothing is wrong any more.
    func run(_ plan: ChaosPlan, from start: ContinuousClock.Instant) async throws {
        try await withThrowingTaskGroup { group in
            for track in plan.tracks {
                group.addTask { [self] in
                    for step in track {
                        // A broker takes its time: what is late is not made up for at the end.
                        let due = start + .seconds(step.at)
                        guard max(due, .now) < start + .seconds(plan.seconds) else { return }
                        try await Task.sleep(until: due)
                        try await perform(step.disturbance)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func perform(_ disturbance: Disturbance) async throws {
        let kind = disturbance.kind
        if kind == .diskFull && !tokens.canBeFull { return }
        print("chaos: \(Date().ISO8601Format()) \(disturbance)")
        counts.withLockedValue { $0[kind, default: 0] += 1 }
        switch kind {
        case .workerKilled, .workerStopped, .workerPaused, .workerCutOff, .connectionsBroken, .clockStepped:
            try await disturbWorker(disturbance)
        case .brokerKilled, .brokerRestarted, .memoryAlarm, .linkCut: try await disturbBroker(disturbance)
        case .simulatorPaused:
            simulator.suspend()
            try await Task.sleep(for: .seconds(disturbance.seconds))
            simulator.resume()
        case .tokensExpired: try await expireTokens()
        case .diskFull:
            try tokens.fill()
            // So that there is something to write.
            try await expireTokens()
            try await Task.sleep(for: .seconds(disturbance.seconds))
            try tokens.free()
        default:
            let faults = disturbance.faults
            for (index, fault) in faults.enumerated() {
                var members = fault.object?.members ?? []
                members.append(.init(name: "id", value: .string("\(kind)-\(index)")))
                try await simulator.inject(.object(JSONObject(members: members)))
            }
            try await Task.sleep(for: .seconds(disturbance.seconds))
            for index in faults.indices { try await simulator.call(.delete, "faults/\(kind)-\(index)") }
        }
    }

    private func disturbWorker(_ disturbance: Disturbance) async throws {
        let number = disturbance.victim
        switch disturbance.kind {
        case .workerKilled: await fleet.kill(number)
        case .workerStopped: await fleet.stop(number)
        case .workerPaused: fleet.pause(number)
        case .workerCutOff: fleet.cutOff(number)
        case .connectionsBroken: return fleet.breakConnections(of: number)
        default: return try fleet.setClock(of: number, wrongBy: disturbance.step)
        }
        try await Task.sleep(for: .seconds(disturbance.seconds))
        switch disturbance.kind {
        case .workerPaused: fleet.resume(number)
        case .workerCutOff: fleet.reconnect(number)
        default: try await fleet.start(number)
        }
    }

    private func disturbBroker(_ disturbance: Disturbance) async throws {
        let node = nodes[disturbance.victim]
        let other = nodes[(disturbance.victim + 1) % nodes.count]
        switch disturbance.kind {
        case .brokerKilled: try await node.kill()
        case .brokerRestarted: try await node.stop()
        case .memoryAlarm: try await setMemoryBound(of: node, "0.00001")
        default: try await cluster?.cut(node, other)
        }
        try await Task.sleep(for: .seconds(disturbance.seconds))
        switch disturbance.kind {
        case .memoryAlarm: try await setMemoryBound(of: node, "0.4")
        case .linkCut: try await cluster?.heal(node, other)
        default: try await node.start()
        }
    }

    private func setMemoryBound(of node: PrivateBroker, _ share: String) async throws {
        do {
            try await node.ctl("set_vm_memory_high_watermark", share)
        } catch  where cluster != nil && "\(error)".contains("requires the 'rabbit' app to be running") {
            // A node that has lost the others has paused itself: it takes no messages anyway. Once it is back, it has
            // the bound of its configuration.
        }
    }

    /// Of all accounts, with the next request that comes.
    private func expireTokens() async throws {
        // Named, so that it is not done twice in a row after a time without requests.
        try await simulator.inject([
            "id": "tokensExpired", "match": ["path": "applicationconsents"], "times": 1,
            "action": ["expireTokens": [:]],
        ])
    }
}

extension Disturbance {
    /// What the simulator is told.
    fileprivate var faults: [JSONValue] {
        // A part of both: applicationconsents and appConsentRequests.
        let apis: JSONValue = ["path": "onsent"]
        let status: JSONValue = ["status": ["status": 503]]
        // Half of what is lost is lost after it has taken effect.
        func lost(_ action: JSONValue) -> [JSONValue] {
            [false, true].map { afterEffect in
                let probability = JSONValue.number(JSONNumber(text: "\(share / 2)"))
                return [
                    "match": apis, "probability": probability, "action": action, "afterEffect": .bool(afterEffect),
                ]
            }
        }
        switch kind {
        case .apiDown: return [["match": apis, "action": status]]
        case .apiFailing: return lost(["status": ["status": 500]])
        case .apiResetting: return lost(["reset": [:]])
        case .apiHanging: return lost(["hang": [:]])
        case .apiThrottling:
            let probability = JSONValue.number(JSONNumber(text: "\(share / 10)"))
            return [["match": apis, "probability": probability, "action": ["throttle": ["retryAfter": "1"]]]]
        case .apiSlow: return [["match": apis, "action": ["latency": ["ms": .number(JSONNumber(latency))]]]]
        case .identityDown: return [["match": ["kind": "token"], "action": status]]
        default: return []
        }
    }
}
