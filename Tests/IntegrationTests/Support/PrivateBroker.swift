import AMQP
import EventLoop
import Foundation
import Logging
import NIOConcurrencyHelpers

/// A RabbitMQ node of the tests' own, as a real process on loopback.
final class PrivateBroker: Sendable {
    let port: Int
    private let folder: String
    /// Where the cookie is, and the port of the port mapper: shared by the nodes of a cluster.
    private let home: String
    private let mapperPort: Int
    private let process = NIOLockedValueBox<ChildProcess?>(nil)

    /// The node that the tests share which do nothing to it; see ``IntegrationTests``.
    @TaskLocal static var shared: PrivateBroker?

    /// - Parameter configuration: lines of rabbitmq.conf, given ``tlsPort``.
    init(plugins: [String] = [], configuration: (Int) -> [String] = { _ in [] }) async throws {
        folder = try Checkout.temporaryFolder()
        port = try LoopbackPorts.brokers.take()
        home = folder
        mapperPort = port + 10_000
        try "[\(plugins.joined(separator: ","))].".write(
            toFile: "\(folder)/enabled_plugins",
            atomically: true,
            encoding: .utf8
        )
        try (configuration(tlsPort).joined(separator: "\n") + "\n").write(
            toFile: "\(folder)/rabbitmq.conf",
            atomically: true,
            encoding: .utf8
        )
        try await start()
    }

    /// A node of a cluster, not started yet; its folder belongs to the cluster.
    init(memberIn folder: String, port: Int, home: String, mapperPort: Int, configuration: [String]) throws {
        self.folder = folder
        self.port = port
        self.home = home
        self.mapperPort = mapperPort
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "[].".write(toFile: "\(folder)/enabled_plugins", atomically: true, encoding: .utf8)
        try (configuration.joined(separator: "\n") + "\n").write(
            toFile: "\(folder)/rabbitmq.conf",
            atomically: true,
            encoding: .utf8
        )
    }

    /// Where a test may let the node listen with TLS.
    var tlsPort: Int { port + 2000 }

    var url: String { "amqp://guest:guest@127.0.0.1:\(port)/%2f" }

    func start() async throws {
        let process = try ChildProcess(
            "\(Checkout.root)/deploy/private-broker",
            ["--home", home, "--epmd", "\(mapperPort)", folder, "\(port)"],
            logFile: "\(folder)/output.log"
        )
        self.process.withLockedValue { $0 = process }
        _ = try await eventually("the broker answers; its log is \(folder)/output.log", within: .seconds(120)) {
            guard process.isRunning else { throw TestFailure("the broker did not start: \(process.log)") }
            return try? await connect { _ in true }
        }
    }

    /// SIGKILL to the node itself, not to the script around it.
    func kill() async throws { try await end(SIGKILL) }

    func stop() async throws { try await end(SIGTERM) }

    var isRunning: Bool { process.withLockedValue { $0?.isRunning ?? false } }

    /// Stops the node for good and removes what it wrote.
    func remove() async throws {
        if isRunning { try await end(SIGKILL) }
        await endMapper()
        try FileManager.default.removeItem(atPath: folder)
    }

    func endMapper() async {
        // The port mapper does not end while it still knows the node.
        _ = try? await eventually("the port mapper has ended", within: .seconds(5)) {
            let result = try await ChildProcess.run(
                "/usr/bin/epmd",
                ["-kill"],
                environment: ["ERL_EPMD_PORT": "\(mapperPort)", "ERL_EPMD_ADDRESS": "127.0.0.1"]
            )
            return (result.output + result.errors).contains("living nodes") ? nil : true
        }
    }

    private func end(_ signal: Int32) async throws {
        let text = try String(contentsOfFile: "\(folder)/pid", encoding: .utf8)
        guard let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { return }
        Foundation.kill(pid, signal)
        try await process.withLockedValue { $0 }?.waitForExit(within: .seconds(60))
    }

    var name: String { "consent\(port)@localhost" }

    /// `rabbitmqctl` for this node.
    @discardableResult
    func ctl(_ arguments: String...) async throws -> String {
        // Behind the others: it starts an Erlang of its own, in the middle of what is being measured.
        let result = try await ChildProcess.run(
            "/usr/bin/nice",
            ["-n", "19", "/usr/lib/rabbitmq/bin/rabbitmqctl", "-n", name] + arguments,
            environment: ["HOME": home, "ERL_EPMD_PORT": "\(mapperPort)", "RABBITMQ_CONF_ENV_FILE": "/dev/null"]
        )
        if result.status != 0 { throw TestFailure("rabbitmqctl \(arguments): \(result.errors)") }
        return result.output
    }

    /// Runs `body` with a connection of its own.
    /// - Parameter address: by default that of a user who may do everything.
    func connect<Value: Sendable>(
        to address: String? = nil,
        _ body: (AMQPConnection) async throws -> Value
    ) async throws -> Value {
        let loop = EventLoop(name: "test")
        defer { loop.stop() }
        let connection = try await AMQPConnection.open(
            AMQPEndpoint(uri: address ?? url),
            options: AMQPOptions(),
            name: "test",
            loop: loop,
            logger: .silent
        )
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    static func areFree(_ port: Int) -> Bool {
        [port, port + 10_000, port + 20_000].allSatisfy { port in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
    }
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

extension PrivateBroker {
    /// Ends a process's connections from the broker's side, as an operator may.
    func closeConnections(of worker: WorkerProcess) async throws {
        let ports = try worker.localPorts(to: port).map(String.init).joined(separator: ",")
        let result = try await ctl(
            "eval",
            """
            [rabbit_networking:close_connection(C, "test") || C <- rabbit_networking:connections(),
                [{peer_port, P}] <- [rabbit_networking:connection_info(C, [peer_port])], lists:member(P, [\(ports)])].
            """
        )
        guard result.contains("ok") else { throw TestFailure("no connection was closed: \(result)") }
    }
}
