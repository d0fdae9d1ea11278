import Foundation
import NIOConcurrencyHelpers

/// Three RabbitMQ nodes on loopback as one cluster, in which any one of them or the link between two can be lost.
final class PrivateCluster: Sendable {
    let nodes: [PrivateBroker]
    private let folder: String

    /// - Parameter partitionHandling: what the nodes do when they lose each other.
    init(partitionHandling: String = "pause_minority") async throws {
        let folder = try Checkout.temporaryFolder()
        let ports = try (1...3).map { _ in try LoopbackPorts.brokers.take() }
        // The nodes start together: each would make a cookie of its own.
        let cookie = "\(folder)/.erlang.cookie"
        try String(UUID().uuidString.filter(\.isLetter)).write(toFile: cookie, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: cookie)
        let members = ports.enumerated().map {
            "cluster_formation.classic_config.nodes.\($0 + 1) = consent\($1)@localhost"
        }
        nodes = try ports.map { port in
            try PrivateBroker(
                memberIn: "\(folder)/\(port)",
                port: port,
                home: folder,
                mapperPort: ports[0] + 10_000,
                configuration: [
                    "cluster_formation.peer_discovery_backend = classic_config",
                    "cluster_partition_handling = \(partitionHandling)",
                ] + members
            )
        }
        self.folder = folder
        do {
            try await start(nodes)
            _ = try await eventually("the nodes are one cluster") {
                let running = try await nodes[0].ctl("eval", "length(rabbit_nodes:all_running()).")
                return running.trimmingCharacters(in: .whitespacesAndNewlines) == "3" ? true : nil
            }
        } catch {
            try? await remove()
            throw error
        }
    }

    /// For the configuration of a worker.
    var urls: [String] { nodes.map(\.url) }

    func start(_ nodes: [PrivateBroker]) async throws {
        try await withThrowingTaskGroup { group in
            for node in nodes { group.addTask { try await node.start() } }
            try await group.waitForAll()
        }
    }

    /// Cuts the link between two nodes: it breaks, and neither gets in at the other any more.
    func cut(_ one: PrivateBroker, _ other: PrivateBroker) async throws {
        // With a wrong cookie for this peer alone, attempts of both sides fail.
        try await one.ctl(
            "eval",
            "erlang:set_cookie('\(other.name)', cut), erlang:disconnect_node('\(other.name)')."
        )
    }

    func heal(_ one: PrivateBroker, _ other: PrivateBroker) async throws {
        try await one.ctl(
            "eval",
            "erlang:set_cookie('\(other.name)', erlang:get_cookie()), net_adm:ping('\(other.name)')."
        )
    }

    /// Which of the others a node has a link to.
    func peers(of node: PrivateBroker) async throws -> Set<String> {
        let text = try await node.ctl("eval", "nodes().")
        return Set(nodes.map(\.name).filter { text.contains($0) })
    }

    /// Ends all nodes and removes what they wrote.
    func remove() async throws {
        for node in nodes where node.isRunning { try await node.kill() }
        await nodes[0].endMapper()
        try FileManager.default.removeItem(atPath: folder)
    }
}
