import ConsentContract
import ConsentWorker
import Foundation
import Testing

extension EnduranceTests {
    /// The limit on a broker of three nodes, one of which or one of whose links is lost.
    @Suite(.timeLimit(.minutes(Load.isLong ? 60 : 5)))
    struct FleetClusterTests {
        private static func onCluster(
            partitionHandling: String,
            _ body: (PrivateCluster) async throws -> [FleetRecord]
        ) async throws -> [FleetRecord] {
            let cluster = try await PrivateCluster(partitionHandling: partitionHandling)
            do {
                let records = try await body(cluster)
                try await cluster.remove()
                return records
            } catch {
                try? await cluster.remove()
                throw error
            }
        }

        private static func settings(_ cluster: PrivateCluster, backlog: Int) -> SaturatedFleet.Settings {
            var settings = SaturatedFleet.Settings(backlog: backlog)
            settings.broker = cluster.nodes[0]
            settings.urls = cluster.urls
            return settings
        }

        /// An owner is back within lease + 3 s; competing pods at the latest with the node that has the permits.
        @Test func theLossOfOneNodeOfThreeStopsAnOwnedApplicationBriefly() async throws {
            try await FleetRun.repeated("loss of a node of three") {
                var lost: [Int] = []
                var back: [Int] = []
                let records = try await Self.onCluster(partitionHandling: "pause_minority") { cluster in
                    let settings = Self.settings(cluster, backlog: 2500 * Load.repetitions)
                    return try await FleetRun.records(settings) { fleet in
                        let owned = fleet.scene.applications[1]
                        for round in 0..<Load.repetitions {
                            let start = try await fleet.now()
                            try await fleet.waitForArrivals(250, after: start)
                            // The node that the owner is connected to; in further rounds one after the other.
                            let node =
                                round == 0
                                ? try cluster.node(of: try await fleet.owner(of: owned)) : cluster.nodes[round % 3]
                            lost.append(try await fleet.now())
                            try await node.kill()
                            try await fleet.waitUntilRecovered(after: lost[round], of: [owned])
                            try await Self.expectReadinessOfThePermits(fleet, lost: lost[round])
                            try await node.start()
                            back.append(try await fleet.now())
                            try await fleet.waitUntilRecovered(after: back[round])
                        }
                    }
                }
                return Self.judge(records, lost: lost, back: back)
            }
        }

        /// If the permits were on the lost node, the competing pods stand still, and say why.
        private static func expectReadinessOfThePermits(_ fleet: SaturatedFleet, lost: Int) async throws {
            let shared = fleet.scene.applications[0]
            let stamps = try await fleet.stamps(of: shared)
            guard !stamps.contains(where: { $0 > lost + 1_000_000_000 }) else { return }
            for pod in fleet.pods {
                _ = try await eventually("readiness tells of the permits") {
                    let reasons = try await pod.probe("readyz")?.body.text ?? ""
                    return reasons.contains("consent.permits") && reasons.contains("\(shared)") ? true : nil
                }
            }
        }

        /// How long an owner is silent is the broker's choice here: with pause_minority both nodes at the ends of the
        /// link pause until it heals, and otherwise RabbitMQ 3.10 was seen to stand still for seven seconds.
        @Test(Load.onlyLong, arguments: ["ignore", "autoheal", "pause_minority"])
        func aCutLinkBetweenTwoNodesBreaksNoLimit(partitionHandling: String) async throws {
            // A new cluster for each run: one whose nodes have ignored a partition stays divided.
            try await FleetRun.repeated("link cut, \(partitionHandling)") {
                var cut = 0
                var healed = 0
                let records = try await Self.onCluster(partitionHandling: partitionHandling) { cluster in
                    // Enough for the time until owner and leader are apart, also on a slow machine.
                    let settings = Self.settings(cluster, backlog: 10_000)
                    return try await FleetRun.records(settings) { fleet in
                        let (near, far) = try await cluster.separateOwnerFromLeader(fleet)
                        try await fleet.waitForArrivals(150, after: try await fleet.now())
                        cut = try await fleet.now()
                        try await cluster.cut(near, far)
                        _ = try await eventually("the link is cut") {
                            try await cluster.peers(of: near).contains(far.name) ? nil : true
                        }
                        try await Task.sleep(for: .seconds(SaturatedFleet.lease + 4))
                        try await cluster.heal(near, far)
                        healed = try await fleet.now()
                        try await fleet.waitUntilRecovered(after: healed)
                    }
                }
                return Self.judge(records, lost: [cut], back: [healed], owned: .infinity)
            }
        }

        private static func judge(
            _ records: [FleetRecord],
            lost: [Int],
            back: [Int],
            owned limit: Double = SaturatedFleet.lease + 3
        ) -> ([FleetRecord], String?) {
            var records = records
            var late: [String] = []
            for index in records.indices {
                let record = records[index]
                let afterLoss = lost.map { record.arrivals.recovery(after: $0) ?? .infinity }
                let afterReturn = back.map { record.arrivals.recovery(after: $0) ?? .infinity }
                let silences = zip(lost, back).map {
                    record.arrivals.until($1 + 15_000_000_000).longestGap(after: $0).seconds
                }
                records[index].measured = [
                    "back \(afterLoss.map(rounded)) s after the loss, \(afterReturn.map(rounded)) s after the return",
                    "silent for up to \(silences.map(rounded)) s",
                ]
                // What goes on for a while under its lease is silent later.
                let isLate =
                    afterReturn.contains { $0 > Load.patience(15) }
                    || (record.ordering == .customer
                        && (afterLoss + silences).contains { $0 > Load.patience(limit) })
                if isLate { late.append(records[index].summary) }
            }
            return (records, late.isEmpty ? nil : late.joined(separator: "; "))
        }
    }
}

extension PrivateCluster {
    /// The node that a worker's connections go to; of several one.
    func node(of worker: WorkerProcess) throws -> PrivateBroker {
        guard let node = try nodes.first(where: { try !worker.localPorts(to: $0.port).isEmpty }) else {
            throw TestFailure("the worker is connected to no node")
        }
        return node
    }

    func leader(of queue: String) async throws -> PrivateBroker {
        let lines = try await nodes[0].ctl("-q", "list_queues", "name", "leader").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("\(queue)\t") }
        guard let node = nodes.first(where: { line?.hasSuffix($0.name) ?? false }) else {
            throw TestFailure("no leader of \(queue) among \(lines)")
        }
        return node
    }

    /// Has another pod own the second application until its connections go to another node than that which leads the
    /// token's queue: with the link between these two the owner loses what it holds.
    func separateOwnerFromLeader(_ fleet: SaturatedFleet) async throws -> (PrivateBroker, PrivateBroker) {
        let application = fleet.scene.applications[1]
        let far = try await leader(of: Topology.Name.ownerQueue(application))
        for _ in 0..<20 {
            let owner = try await fleet.owner(of: application)
            let near = nodes.filter { ((try? owner.localPorts(to: $0.port)) ?? []).count > 0 }
            // All connections of the owner on one side: none of them is a way around.
            if near.count == 1, near[0] !== far { return (near[0], far) }
            try await fleet.stop(owner)
            try await fleet.startPod(["CONSENT_AMQP_URL": nodes.filter { $0 !== far }.randomElement()?.url ?? ""])
        }
        throw TestFailure("the owner stays with the leader of its token")
    }
}
