import Foundation
import NIOConcurrencyHelpers

/// Looks after a run while it lasts: who ends by itself, what its partner's token file looks like, and what the first
/// worker, which nobody ends, and the simulator take of the machine.
final class ChaosWatch: Sendable {
    /// What one worker may take more at the end than at the start.
    private static let growth = (kilobytes: (16 << 10) * Load.memory, descriptors: 8, threads: 4)

    struct Growth: Sendable {
        let name: String
        let early: ProcessFigures
        let late: ProcessFigures
    }

    private struct State {
        var early: [ProcessFigures] = []
        var growths: [Growth] = []
        var problems: [String] = []
    }

    private let scene: Scene
    private let fleet: ChaosFleet
    private let state = NIOLockedValueBox(State())

    init(_ scene: Scene, _ fleet: ChaosFleet) {
        self.scene = scene
        self.fleet = fleet
    }

    var growths: [Growth] { state.withLockedValue { $0.growths } }

    var problems: [String] { state.withLockedValue { $0.problems } }

    /// Until cancelled.
    func run(from calm: Double) async throws {
        try await Task.sleep(for: .seconds(calm))
        let early = try figures()
        state.withLockedValue { $0.early = early }
        let file = "\(scene.folder)/refresh-tokens/\(scene.partner)"
        while !Task.isCancelled {
            try await fleet.lookAfter()
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            // As the simulator issued it, or as it was put there.
            if !text.contains("simulated-refresh.") && !text.hasPrefix("refresh-token-of-") {
                note("the token file holds no token: '\(text)'")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Takes the last figures, when nothing is under way any more.
    func end() async throws {
        let late = try figures()
        let names = ["worker 0", "simulator"]
        let growths = zip(names, zip(state.withLockedValue { $0.early }, late)).map {
            Growth(name: $0, early: $1.0, late: $1.1)
        }
        state.withLockedValue { $0.growths = growths }
        guard let worker = growths.first else { return note("the run was too short to tell about growth") }
        if worker.late.residentKilobytes > worker.early.residentKilobytes + Self.growth.kilobytes
            || worker.late.descriptors > worker.early.descriptors + Self.growth.descriptors
            || worker.late.threads > worker.early.threads + Self.growth.threads
        {
            note("worker 0 grew: \(worker.early), then \(worker.late)")
        }
    }

    private func figures() throws -> [ProcessFigures] {
        guard let first = fleet.running.first(where: { $0.number == 0 }) else { throw TestFailure("no worker 0") }
        let simulator = scene.simulator
        return [
            try ProcessFigures(of: first.worker, withoutConnectionsTo: simulator.port),
            try ProcessFigures(of: simulator.pid),
        ]
    }

    private func note(_ problem: String) { state.withLockedValue { $0.problems.append(problem) } }
}
