import Foundation
import NIOConcurrencyHelpers

/// A fleet at work under a plan: published at a steady rate, disturbed, left in peace, drained, and judged.
struct ChaosRun: Sendable {
    /// Commands a second in all, well below what the limits let through.
    private static let rate = 40.0
    /// How long it may take in peace until everything is done.
    private static let patience = Duration.seconds(240)

    let plan: ChaosPlan
    let scene: Scene
    let nodes: [PrivateBroker]
    let cluster: PrivateCluster?

    /// Runs the plan on a broker of its own.
    /// - Throws: what was violated.
    static func run(_ plan: ChaosPlan) async throws {
        print(plan)
        let cluster = plan.weather.nodes > 1 ? try await PrivateCluster() : nil
        let nodes = if let cluster { cluster.nodes } else { [try await PrivateBroker()] }
        let outcome: Result<Void, any Error>
        do {
            let simulator = ["--rotate-refresh-tokens", "--limit-graph", "20", "--latency-ms", "15"]
            try await Scene.run(broker: nodes[0], applications: 4, simulator: simulator) { scene in
                try await ChaosRun(plan: plan, scene: scene, nodes: nodes, cluster: cluster).run()
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        if let cluster { try? await cluster.remove() } else { try? await nodes[0].remove() }
        do { try outcome.get() } catch { throw TestFailure("seed \(plan.seed): \(error)") }
    }

    private func run() async throws {
        let orderings: [SaturatedFleet.Ordering] = [.customer, .none, .customer, .none]
        try configure(orderings)
        try await scene.declareTopology()
        let tokens = try await TokenVolume(at: "\(scene.folder)/refresh-tokens")
        do {
            try await run(orderings, tokens)
        } catch {
            try? await tokens.remove()
            throw error
        }
        try await tokens.remove()
    }

    private func configure(_ orderings: [SaturatedFleet.Ordering]) throws {
        let urls = nodes.map { "\"\($0.url)\"" }.joined(separator: ", ")
        try scene.configure(
            each: Dictionary(
                uniqueKeysWithValues: zip(scene.applications, orderings).map { ($0, ["ordering: \($1.rawValue)"]) }
            ),
            top: [
                "http: {timeout: 2s, connectTimeout: 2s}", "retry: {base: 100ms, cap: 2s}", "log: {level: debug}",
            ],
            amqp: "amqp: {urls: [\(urls)], heartbeat: 5s}"
        )
    }

    private func run(_ orderings: [SaturatedFleet.Ordering], _ tokens: TokenVolume) async throws {
        let applications = zip(zip(scene.applications, orderings), [4, 4, 1, 1]).map {
            ChaosWorkload.Application(id: $0.0, ordering: $0.1, weight: $1)
        }
        let workload = ChaosWorkload(applications, partner: scene.partner, seed: plan.seed)
        let urls = nodes.map(\.url)
        let publisher = SteadyPublisher(BrokerLink(urls: urls, name: "publisher"), workload, perSecond: Self.rate)
        let journal = EventJournal(BrokerLink(urls: urls, name: "journal"), scene)
        try await journal.declare()
        let workers = plan.weather.workers
        let fleet = try await ChaosFleet(scene, workers: workers, through: cluster == nil ? nodes[0].port : nil)
        for number in 0..<workers { try await fleet.start(number, waitUntilReady: true) }
        let disturber = Disturber(fleet, nodes, cluster, scene.simulator, tokens)
        let watch = ChaosWatch(scene, fleet)

        try await withThrowingTaskGroup { group in
            group.addTask { try await journal.run() }
            group.addTask { try await watch.run(from: plan.weather.calm) }
            let start = ContinuousClock.now
            async let disturbed: Void = disturber.run(plan, from: start)
            async let published: Void = publisher.run(until: start + .seconds(plan.seconds))
            _ = try await (disturbed, published)
            print(
                "chaos: \(Date().ISO8601Format()) in peace, with \(journal.count) of \(publisher.published.count) events"
            )
            try? await drain(journal, publisher)
            group.cancelAll()
        }
        try await watch.end()
        await fleet.stopAll()
        let record = try await ChaosRecord(scene, publisher.published, journal, workload)
        try await journal.remove()
        let violations = try Verdict(record).violations + journal.problems + fleet.problems + watch.problems
        print(ChaosTable(record, disturber.done, repeated: publisher.repeated, watch.growths))
        if !violations.isEmpty { throw TestFailure(violations.joined(separator: "\n")) }
    }

    /// What is not done in time shows in the verdict.
    private func drain(_ journal: EventJournal, _ publisher: SteadyPublisher) async throws {
        _ = try await eventually("all events", within: Self.patience, every: .milliseconds(200)) {
            journal.count >= publisher.published.count ? true : nil
        }
        _ = try await eventually("the queues are empty", every: .seconds(1)) {
            let lines = try await nodes[0].ctl("-q", "list_queues", "name", "messages").split(separator: "\n")
            let left = lines.filter { $0.hasPrefix("consent.commands.") && !$0.hasSuffix("\t0") }
            return left.isEmpty ? true : nil
        }
    }
}
