import Foundation

/// A broker in front of the scene's that breaks the protocol as it is told: `Tests/Hostile/hostile_broker.py`.
final class HostileBroker: Sendable {
    /// A connection that a scenario was played on.
    struct Play: Sendable {
        let scenario: String
        /// `worker`, `us`, or `timeout` if the worker held on to what it should have ended.
        let endedBy: String
    }

    static let password = "hostile-test-password"
    private static let script = "\(Checkout.root)/Tests/Hostile/hostile_broker.py"

    private let process: ChildProcess
    private let scenarioFile: String
    let url: String

    /// Runs `body` with a broker in front of the scene's, and ends it behind it.
    static func run(_ scene: Scene, seed: UInt64, _ body: (HostileBroker) async throws -> Void) async throws {
        let broker = try await HostileBroker(scene, seed: seed)
        do {
            try await body(broker)
        } catch {
            await broker.stop()
            throw error
        }
        await broker.stop()
    }

    private init(_ scene: Scene, seed: UInt64) async throws {
        scenarioFile = "\(scene.folder)/scenario"
        let portFile = "\(scene.folder)/hostile-port"
        try "honest".write(toFile: scenarioFile, atomically: true, encoding: .utf8)
        process = try ChildProcess(
            "/usr/bin/python3",
            [Self.script, portFile, "\(scene.broker.port)", scenarioFile, Self.password, "\(seed)"],
            logFile: "\(scene.folder)/hostile-broker.log"
        )
        let process = process
        let port = try await eventually("the hostile broker listens") {
            guard process.isRunning else { throw TestFailure("the hostile broker ended: \(process.log)") }
            return try? String(contentsOfFile: portFile, encoding: .utf8)
        }
        url = "amqp://guest:\(Self.password)@127.0.0.1:\(port)/%2f"
    }

    static func scenarios() async throws -> [String] {
        let result = try await ChildProcess.run("/usr/bin/python3", [script, "--list"])
        return result.output.split(separator: "\n").map(String.init)
    }

    /// What happens to connections from now on; those that stand are ended.
    func play(_ scenario: String) throws {
        try scenario.write(toFile: scenarioFile, atomically: true, encoding: .utf8)
    }

    /// Connections that have ended.
    var plays: [Play] {
        process.log.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 3 ? Play(scenario: String(words[0]), endedBy: String(words[1])) : nil
        }
    }

    /// It has nothing to finish, and what starts it here blocks the signals that would ask it to end.
    private func stop() async { await process.kill() }
}
