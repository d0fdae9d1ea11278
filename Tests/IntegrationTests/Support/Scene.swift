import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import NIOConcurrencyHelpers

/// What one test works with: a broker, a simulator, secrets and a configuration of its own, and an application ID
/// that no other test uses.
final class Scene: Sendable {
    let broker: PrivateBroker
    let simulator: SimulatorProcess
    let folder: String
    /// All of the configuration; most tests have one.
    let applications: [GUID]
    let partner = GUID.random()
    let adminPort: Int
    private let workers = NIOLockedValueBox<[WorkerProcess]>([])
    /// Everything that came out of the system, to be searched for secrets.
    private let emitted = NIOLockedValueBox<[String]>([])

    /// Runs `body` in a scene and clears up behind it; the folder stays if it fails.
    static func run(
        broker: PrivateBroker? = nil,
        application: String? = nil,
        applications count: Int = 1,
        simulator: [String] = [],
        _ body: (Scene) async throws -> Void
    ) async throws {
        guard let broker = broker ?? PrivateBroker.shared else { throw TestFailure("outside the integration suite") }
        let scene = try await Scene(
            broker,
            [application.flatMap { GUID($0) } ?? .random()] + (1..<count).map { _ in .random() },
            simulator
        )
        do {
            try await body(scene)
        } catch {
            for worker in scene.workers.withLockedValue({ $0 }) { await worker.kill() }
            await scene.simulator.stop()
            try? await scene.removeQueues()
            throw TestFailure("\(error); logs are in \(scene.folder)")
        }
        await scene.simulator.stop()
        try scene.expectNoSecretEmitted()
        try await scene.removeQueues()
        try FileManager.default.removeItem(atPath: scene.folder)
    }

    private init(_ broker: PrivateBroker, _ applications: [GUID], _ arguments: [String]) async throws {
        self.broker = broker
        self.applications = applications
        folder = try Checkout.temporaryFolder()
        simulator = try await SimulatorProcess(folder: folder, arguments: arguments)
        adminPort = try LoopbackPorts.probes.take()
        try FileManager.default.createDirectory(atPath: "\(folder)/refresh-tokens", withIntermediateDirectories: true)
        try addPartner(partner)
        try "client-secret-\(application)".write(toFile: "\(folder)/client-secret", atomically: true, encoding: .utf8)
    }

    /// Gives a partner a refresh token.
    func addPartner(_ partner: GUID) throws {
        try "refresh-token-of-\(partner)".write(
            toFile: "\(folder)/refresh-tokens/\(partner)",
            atomically: true,
            encoding: .utf8
        )
    }

    var application: GUID { applications[0] }

    var configurationFile: String { "\(folder)/consent-worker.yaml" }

    /// Writes the configuration; `application` and `top` are further lines of YAML, `each` those of single
    /// applications. Without `listed` it lists all of the scene's.
    func configure(
        listed: [GUID]? = nil,
        application lines: [String] = [],
        each: [GUID: [String]] = [:],
        credential: [String] = ["clientSecretFile: client-secret"],
        top: [String] = [],
        beta: Bool = false,
        endpoint: String? = nil,
        amqp: String? = nil
    ) throws {
        let url = endpoint ?? simulator.url
        let graph = "\(url)/\(beta ? "beta" : "v1.0")"
        var text = [
            amqp ?? "amqp: {url: \"\(broker.url)\", heartbeat: 5s}",
            "endpoints: {partnerCenter: \"\(url)\", graph: \"\(graph)\", identity: \"\(url)\"}",
            "admin: {listen: \"127.0.0.1:\(adminPort)\"}",
            "applications:",
        ]
        for application in listed ?? applications {
            text.append("  - applicationId: \(application)")
            let members = ["refreshTokens: refresh-tokens"] + credential + lines + (each[application] ?? [])
            text += members.map { "    \($0)" }
        }
        text += top
        // The shortest that there is: a killed worker's successor waits for it.
        if !top.contains(where: { $0.hasPrefix("owner:") }) { text.append("owner: {lease: 4s}") }
        if !top.contains(where: { $0.hasPrefix("log:") }) { text.append("log: {level: trace}") }
        try (text.joined(separator: "\n") + "\n").write(toFile: configurationFile, atomically: true, encoding: .utf8)
    }

    /// Starts a worker with probes and a log of its own; the caller stops it.
    func startWorker(waitUntilReady: Bool = true, environment: [String: String] = [:]) async throws -> WorkerProcess {
        let worker = try workers.withLockedValue { workers in
            let worker = try WorkerProcess(
                scene: self,
                adminPort: workers.isEmpty ? adminPort : LoopbackPorts.probes.take(),
                logFile: "\(folder)/worker-\(workers.count + 1).log",
                environment: environment
            )
            workers.append(worker)
            return worker
        }
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
        for text in logs + emitted.withLockedValue({ $0 }) {
            if let secret = secret(in: text) {
                throw TestFailure("a secret got out (\(secret)): \(text.prefix(2000))")
            }
        }
    }

    /// What a text shows that it must not; nil for nothing.
    func secret(in text: String) -> String? {
        // What the simulator issues begins with its name; "Bearer" goes before every access token.
        let secrets = [
            "client-secret-\(application)", "refresh-token-of-", "simulated.", "simulated-refresh.", "Bearer ",
            "guest:guest",
        ]
        return secrets.first { text.contains($0) }
    }

    /// With the dead letters: the next test on this broker counts its own only.
    private func removeQueues() async throws {
        try await broker.connect { connection in
            let channel = try await connection.openChannel()
            try await channel.deleteQueue(Topology.Name.deadLetters)
            for application in applications {
                for kind in ["commands", "owner", "paused"] {
                    try await channel.deleteQueue("consent.\(kind).\(application)")
                }
            }
        }
    }
}
