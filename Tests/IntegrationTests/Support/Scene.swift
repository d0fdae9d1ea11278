import AMQP
import ConsentContract
import Foundation
import JSON
import NIOConcurrencyHelpers

/// What one test works with: a broker, a simulator, secrets and a configuration of its own, and an application ID
/// that no other test uses.
final class Scene: Sendable {
    let broker: PrivateBroker
    let simulator: SimulatorProcess
    let folder: String
    let application: GUID
    let partner = GUID.random()
    let adminPort: Int
    private let workers = NIOLockedValueBox<[WorkerProcess]>([])
    /// Everything that came out of the system, to be searched for secrets.
    private let emitted = NIOLockedValueBox<[String]>([])

    /// Runs `body` in a scene and clears up behind it; the folder stays if it fails.
    static func run(
        broker: PrivateBroker? = nil,
        application: String? = nil,
        simulator: [String] = [],
        _ body: (Scene) async throws -> Void
    ) async throws {
        guard let broker = broker ?? PrivateBroker.shared else { throw TestFailure("outside the integration suite") }
        let scene = try await Scene(broker, application.flatMap { GUID($0) } ?? .random(), simulator)
        do {
            try await body(scene)
        } catch {
            for worker in scene.workers.withLockedValue({ $0 }) { await worker.kill() }
            await scene.simulator.stop()
            throw TestFailure("\(error); logs are in \(scene.folder)")
        }
        await scene.simulator.stop()
        try scene.expectNoSecretEmitted()
        try await scene.removeQueues()
        try FileManager.default.removeItem(atPath: scene.folder)
    }

    private init(_ broker: PrivateBroker, _ application: GUID, _ arguments: [String]) async throws {
        self.broker = broker
        self.application = application
        folder = try Checkout.temporaryFolder()
        simulator = try await SimulatorProcess(folder: folder, arguments: arguments)
        adminPort = Int.random(in: 13_000..<14_000)
        let tokens = "\(folder)/refresh-tokens"
        try FileManager.default.createDirectory(atPath: tokens, withIntermediateDirectories: true)
        try "refresh-token-of-\(partner)".write(toFile: "\(tokens)/\(partner)", atomically: true, encoding: .utf8)
        try "client-secret-\(application)".write(toFile: "\(folder)/client-secret", atomically: true, encoding: .utf8)
    }

    var configurationFile: String { "\(folder)/consent-worker.yaml" }

    /// Writes the configuration; `application` and `top` are further lines of YAML.
    func configure(
        application lines: [String] = [],
        credential: [String] = ["clientSecretFile: client-secret"],
        top: [String] = [],
        beta: Bool = false,
        endpoint: String? = nil,
        amqp: String? = nil
    ) throws {
        let url = endpoint ?? simulator.url
        let graph = "\(url)/\(beta ? "beta" : "v1.0")"
        let text =
            [
                amqp ?? "amqp: {url: \"\(broker.url)\", heartbeat: 5s}",
                "endpoints: {partnerCenter: \"\(url)\", graph: \"\(graph)\", identity: \"\(url)\"}",
                "admin: {listen: \"127.0.0.1:\(adminPort)\"}",
                "applications:",
                "  - applicationId: \(application)",
                "    refreshTokens: refresh-tokens",
            ] + (credential + lines).map { "    \($0)" } + top
            + (top.contains { $0.hasPrefix("log:") } ? [] : ["log: {level: trace}"])
        try (text.joined(separator: "\n") + "\n").write(toFile: configurationFile, atomically: true, encoding: .utf8)
    }

    /// Starts a worker; the caller stops it.
    func startWorker(waitUntilReady: Bool = true) async throws -> WorkerProcess {
        let worker = try WorkerProcess(scene: self)
        workers.withLockedValue { $0.append(worker) }
        if waitUntilReady { try await worker.waitUntilReady() }
        return worker
    }

    func withWorker<Value>(_ body: (WorkerProcess) async throws -> Value) async throws -> Value {
        let worker = try await startWorker()
        do {
            let value = try await body(worker)
            await worker.stop()
            return value
        } catch {
            await worker.stop()
            throw error
        }
    }

    /// Declares what the worker would, so that a test can publish before there is one.
    func declareTopology() async throws {
        let result = try await commandLine("declare-topology")
        if result.status != 0 { throw TestFailure(result.errors) }
    }

    /// The command line of the executable under test, with this scene's configuration.
    func commandLine(_ arguments: String...) async throws -> ChildProcess.Result {
        try await commandLine(arguments)
    }

    func commandLine(_ arguments: [String], input: String? = nil) async throws -> ChildProcess.Result {
        let result = try await ChildProcess.run(
            "\(Checkout.binaries)/consent-worker",
            arguments + ["--config", configurationFile],
            input: input
        )
        emit(result.output, result.errors)
        return result
    }

    /// Notes what the system has let out: events, dead letters, answers of the probes.
    func emit(_ texts: String...) { emitted.withLockedValue { $0 += texts } }

    /// Every test of the integration run is held to this, whatever else it is about.
    private func expectNoSecretEmitted() throws {
        let logs = workers.withLockedValue { $0 }.map(\.log)
        // What the simulator issues begins with its name; "Bearer" goes before every access token.
        let secrets = [
            "client-secret-\(application)", "refresh-token-of-", "simulated.", "simulated-refresh.", "Bearer ",
            "guest:guest",
        ]
        for text in logs + emitted.withLockedValue({ $0 }) {
            for secret in secrets where text.contains(secret) {
                throw TestFailure("a secret got out (\(secret)): \(text.prefix(2000))")
            }
        }
    }

    private func removeQueues() async throws {
        try await broker.connect { connection in
            let channel = try await connection.openChannel()
            try await channel.deleteQueue("consent.commands.\(application)")
        }
    }
}
