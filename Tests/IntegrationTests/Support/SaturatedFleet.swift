import ConsentContract
import Foundation
import Testing
import JSON
import NIOConcurrencyHelpers

/// How much the tests of a fleet do: what fits into every run, or with CONSENT_LONG=1 all.
enum Load {
    static let isLong = ProcessInfo.processInfo.environment["CONSENT_LONG"] == "1"
    /// How often each fault is repeated within one run.
    static let repetitions = isLong ? 5 : 1
    /// For tests that the short form has no time for.
    static let onlyLong = ConditionTrait.enabled(if: isLong, "the long form only (CONSENT_LONG=1)")
    static let podCounts = isLong ? [1, 4, 16] : [4]
    /// The share of the limit that has to be used. What a machine does in time is asserted exactly only in the long
    /// form, on a calm one; the limit itself is asserted always.
    static let share = isLong ? 0.95 : 0.8

    /// By how many times more the worker's memory may grow under a sanitizer (`CONSENT_SANITIZER` names it).
    static let memory = ProcessInfo.processInfo.environment["CONSENT_SANITIZER"] == nil ? 1 : 10

    /// For how long something may take at most.
    static func patience(_ seconds: Double) -> Double { isLong ? seconds : seconds * 3 }
}

/// Pods that share a scene's applications, with more commands waiting than the limits let through.
final class SaturatedFleet: Sendable {
    enum Ordering: String, Sendable {
        /// One pod owns the application.
        case customer
        /// All pods share the limit by permits.
        case none
    }

    /// What the tests configure for an owner: the shortest that is allowed.
    static let lease = 4.0

    let scene: Scene
    let platform: Platform
    let orderings: [Ordering]
    private let state = NIOLockedValueBox(State())

    private struct State {
        var pods: [WorkerProcess] = []
        var stamps: [String: [Int]] = [:]
        var seen = 0
    }

    struct Settings: Sendable {
        var pods = 4
        /// One application each.
        var orderings: [Ordering] = [.none, .customer]
        /// Commands that wait for each application, all for different customers.
        var backlog: Int
        var requests = 50
        var heartbeat = "5s"
        var prefetch = 200
        var broker: PrivateBroker?
        /// Instead of the broker's own address.
        var urls: [String]?
        var simulator: [String] = []
        var top: [String] = []
        /// A pod's environment, by its number from 0.
        var environment: @Sendable (Int) -> [String: String] = { _ in [:] }
    }

    /// Runs `body` with the pods under full load; ends the pods whatever they still have to do.
    static func run(_ settings: Settings, _ body: (SaturatedFleet) async throws -> Void) async throws {
        try await Scene.run(
            broker: settings.broker,
            applications: settings.orderings.count,
            simulator: settings.simulator
        ) { scene in
            try configure(scene, settings, requests: settings.requests)
            try await scene.declareTopology()
            try await Platform.run(scene) { platform in
                let fleet = SaturatedFleet(scene, platform, settings.orderings)
                for application in scene.applications where settings.backlog > 0 {
                    try await platform.publishAll(
                        (0..<settings.backlog).map {
                            (
                                platform.command(
                                    "grant",
                                    application: application,
                                    customer: Platform.customer($0)
                                ), "\(application)-\($0)"
                            )
                        }
                    )
                }
                try await withThrowingTaskGroup { group in
                    for number in 0..<settings.pods {
                        group.addTask { try await fleet.startPod(settings.environment(number)) }
                    }
                    try await group.waitForAll()
                }
                do {
                    try await body(fleet)
                } catch {
                    await fleet.killPods()
                    throw error
                }
                await fleet.killPods()
            }
        }
    }

    static func configure(_ scene: Scene, _ settings: Settings, requests: Int) throws {
        let urls = (settings.urls ?? [scene.broker.url]).map { "\"\($0)\"" }.joined(separator: ", ")
        try scene.configure(
            application: [
                "prefetch: \(settings.prefetch)",
                "limits: {partnerCenter: {requests: \(requests)}}",
            ],
            each: Dictionary(
                uniqueKeysWithValues: zip(scene.applications, settings.orderings).map {
                    ($0, ["ordering: \($1.rawValue)"])
                }
            ),
            // Traces of so many requests would cost the processors that they need.
            top: ["owner: {lease: \(Int(lease))s}", "log: {level: debug}"] + settings.top,
            amqp: "amqp: {\(urls.contains(",") ? "urls: [\(urls)]" : "url: \(urls)"), heartbeat: \(settings.heartbeat)}"
        )
    }

    private init(_ scene: Scene, _ platform: Platform, _ orderings: [Ordering]) {
        self.scene = scene
        self.platform = platform
        self.orderings = orderings
    }

    // MARK: - Pods

    var pods: [WorkerProcess] { state.withLockedValue { $0.pods } }

    @discardableResult
    func startPod(_ environment: [String: String] = [:]) async throws -> WorkerProcess {
        let pod = try await scene.startWorker(environment: environment)
        state.withLockedValue { $0.pods.append(pod) }
        return pod
    }

    /// SIGKILL.
    func kill(_ pod: WorkerProcess) async {
        await pod.kill()
        forget(pod)
    }

    /// SIGTERM, and waits for the end.
    func stop(_ pod: WorkerProcess) async throws {
        let status = await pod.stop()
        forget(pod)
        if status != 0 { throw TestFailure("a pod ended with \(status): \(pod.log.suffix(2000))") }
    }

    /// No longer one of the fleet, however it ends.
    func forget(_ pod: WorkerProcess) { state.withLockedValue { $0.pods.removeAll { $0 === pod } } }

    private func killPods() async { for pod in pods { await kill(pod) } }

    /// The pod that owns the application, as the pods say. One that is stopped or cut off may still say so too.
    func owner(of application: GUID, within limit: Duration = .seconds(60)) async throws -> WorkerProcess {
        try await eventually("a pod owns \(application)", within: limit) {
            for pod in pods where try await pod.owns().contains("\(application)") { return pod }
            return nil
        }
    }

    /// A pod to make trouble for: the owner if there is an application with one.
    func victim() async throws -> WorkerProcess {
        guard let index = orderings.firstIndex(of: .customer) else { return pods[0] }
        return try await owner(of: scene.applications[index])
    }

    // MARK: - What arrives

    /// The simulator's clock.
    func now() async throws -> Int { try await scene.simulator.call(.get, "health")["nowNs"]?.int ?? 0 }

    /// When the application's requests arrived, as far as they have.
    func stamps(of application: GUID) async throws -> [Int] {
        let since = state.withLockedValue { $0.seen }
        let arrivals = try await scene.simulator.call(.get, "arrivals?since=\(since)")["arrivals"]?.array ?? []
        return state.withLockedValue { state in
            // Another reader may have been as far meanwhile.
            for arrival in arrivals where arrival["n"]?.int ?? 0 > state.seen {
                guard arrival["kind"]?.string != "token", let application = arrival["application"]?.string,
                    let stamp = arrival["atNs"]?.int
                else { continue }
                state.stamps[application, default: []].append(stamp)
            }
            state.seen = max(state.seen, arrivals.last?["n"]?.int ?? 0)
            return state.stamps["\(application)"] ?? []
        }
    }

    /// Waits until so many requests have arrived for each application.
    func waitForArrivals(
        _ count: Int,
        after moment: Int = 0,
        of applications: [GUID]? = nil,
        within limit: Duration = .seconds(60)
    ) async throws {
        for application in applications ?? scene.applications {
            _ = try await eventually(
                "\(count) arrivals of \(application)",
                within: limit,
                every: .milliseconds(100)
            ) {
                try await stamps(of: application).count { $0 >= moment } >= count ? true : nil
            }
        }
    }

    /// Waits until every application is at 95 % of its limit again after a moment.
    func waitUntilRecovered(
        after moment: Int,
        requests: Int = 50,
        of applications: [GUID]? = nil,
        within limit: Duration = .seconds(60)
    ) async throws {
        for application in applications ?? scene.applications {
            _ = try await eventually(
                "the rate of \(application) is back",
                within: limit,
                every: .milliseconds(200)
            ) {
                ArrivalRecord(stamps: try await stamps(of: application))
                    .recovery(after: moment, limit: requests)
            }
        }
    }

    func records() async throws -> [FleetRecord] {
        var records: [FleetRecord] = []
        for (application, ordering) in zip(scene.applications, orderings) {
            let record = try await ArrivalRecord(scene.simulator, "\(application)")
            records.append(FleetRecord(ordering: ordering, arrivals: record))
        }
        return records
    }
}

/// What the simulator saw of one application of a fleet.
struct FleetRecord {
    let ordering: SaturatedFleet.Ordering
    let arrivals: ArrivalRecord
    /// What a test measured itself, to be printed.
    var measured: [String] = []

    var summary: String {
        let rate = arrivals.bestRate(over: min(250, max(1, arrivals.stamps.count - 51)))
        return
            (["\(ordering.rawValue): worst window \(arrivals.worstWindow)", "best rate \(rounded(rate))"] + measured
            + ["\(arrivals.stamps.count) arrivals", "\(arrivals.stalls.count) stalls"]).joined(separator: ", ")
    }
}

func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
