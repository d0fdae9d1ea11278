import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension EnduranceTests {
    /// One limit for all pods, whatever happens to them. Each run has an application whose pods compete for permits and
    /// one that a pod at a time owns, both with more work than they may do.
    @Suite(.timeLimit(.minutes(Load.isLong ? 60 : 5)))
    struct FleetTests {
        // MARK: - The limit and its use

        @Test(arguments: Load.podCounts)
        func podsTogetherKeepTheLimitAndUseIt(pods: Int) async throws {
            var settings = SaturatedFleet.Settings(pods: pods, backlog: Load.isLong ? 1500 : 600)
            // One owner is one owner, however many stand by.
            if pods != 4 { settings.orderings = [.none] }
            let count = settings.backlog - 50
            try await FleetRun.provingTheRate("\(pods) pods") {
                try await FleetRun.records(settings) { fleet in
                    try await fleet.waitForArrivals(count, within: .seconds(120))
                }
            }
        }

        @Test(.enabled(if: Load.isLong, "CONSENT_LONG=1: a thousand requests a second"))
        func twentyApplicationsKeepALimitEach() async throws {
            let settings = SaturatedFleet.Settings(
                orderings: Array(repeating: .customer, count: 10) + Array(repeating: .none, count: 10),
                backlog: 1000
            )
            try await FleetRun.provingTheRate("4 pods x 20 applications") {
                try await FleetRun.records(settings) { fleet in
                    try await fleet.waitForArrivals(900, within: .seconds(120))
                }
            }
        }

        @Test(Load.onlyLong) func idlePodsCostABusyOneLittle() async throws {
            let later = 300
            var settings = SaturatedFleet.Settings(pods: 1, orderings: [.none], backlog: 1300)
            // All commands are in the busy pod's hands before there is another.
            settings.prefetch = settings.backlog
            try await FleetRun.repeated("15 idle pods") {
                var share = 0.0
                let records = try await FleetRun.records(settings) { fleet in
                    try await fleet.waitForArrivals(50 + later)
                    let alone = try await fleet.now()
                    // One after the other: that they start is not what is measured.
                    for _ in 0..<15 { try await fleet.startPod() }
                    // A command each makes them ask for permits once.
                    let application = fleet.scene.application
                    try await fleet.platform.publishAll(
                        (0..<30).map {
                            (
                                fleet.platform.command(
                                    "grant",
                                    application: application,
                                    customer: Platform.customer(5000 + $0)
                                ), "rare-\($0)"
                            )
                        }
                    )
                    let together = try await fleet.now()
                    try await fleet.waitForArrivals(later, after: together)
                    let record = try await ArrivalRecord(fleet.scene.simulator, "\(application)")
                    let before = record.until(alone).bestRate(over: 250)
                    let after = record.since(together).bestRate(over: 240)
                    share = after / before
                    print("fleet: 15 idle pods: \(rounded(before)) a second alone, \(rounded(after)) beside them")
                }
                return (records, share > Load.share ? nil : "the busy pod got \(share) of its rate")
            }
        }

        // MARK: - Faults under saturation

        @Test func aKilledPodIsReplacedByTheOthersInTime() async throws {
            try await FleetRun.fault("kill -9 of a pod", recovery: [.none: 3, .customer: SaturatedFleet.lease + 3]) {
                fleet in
                let pod = try await fleet.victim()
                let moment = try await fleet.now()
                await fleet.kill(pod)
                try await fleet.startPod()
                return moment
            }
        }

        @Test func aPodThatStoodStillSendsNothingThatItMayNot() async throws {
            try await FleetRun.fault("SIGSTOP for 5 s", heartbeat: "10s") { fleet in
                try await fleet.suspend(try await fleet.victim(), for: .seconds(5))
            }
        }

        @Test(Load.onlyLong) func aPodThatStoodStillForLongerThanTheHeartbeatSendsNothingThatItMayNot() async throws {
            try await FleetRun.fault("SIGSTOP beyond the heartbeat", heartbeat: "2s") { fleet in
                try await fleet.suspend(try await fleet.victim(), for: .seconds(8))
            }
        }

        /// The broker gives another pod what this one was given, and this one finds out only afterwards.
        @Test(Load.onlyLong) func aConnectionClosedWhileThePodStandsStillIsNotWorkedOn() async throws {
            try await FleetRun.fault("connection closed during SIGSTOP", heartbeat: "30s") { fleet in
                let pod = try await fleet.victim()
                pod.suspend()
                try await fleet.scene.broker.closeConnections(of: pod)
                try await Task.sleep(for: .milliseconds(1500))
                pod.resume()
                return try await fleet.now()
            }
        }

        @Test func aPodCutOffFromTheBrokerStopsInTime() async throws {
            guard let broker = PrivateBroker.shared else { throw TestFailure("outside the integration suite") }
            let way = try CutOff(to: broker.port)
            defer { way.stop() }
            // One pod goes through it; with an owner, that is the only one at first.
            try await FleetRun.fault(
                "a pod cut off for 10 s",
                heartbeat: "3s",
                pods: 1,
                environment: { _ in ["CONSENT_AMQP_URL": way.url] }
            ) { fleet in
                // Again: from the second repetition on, others may own.
                if fleet.pods.count == 1 { for _ in 0..<3 { try await fleet.startPod() } }
                way.cut()
                try await Task.sleep(for: .seconds(10))
                way.heal()
                return try await fleet.now()
            }
        }

        @Test func aBrokerThatIsKilledOrRestartedChangesNothingAboutTheLimit() async throws {
            let broker = try await PrivateBroker()
            do {
                try await FleetRun.fault(
                    "broker killed, then restarted",
                    recovery: [.none: 15, .customer: 15],
                    // RabbitMQ 3.10 does not bring a quorum queue back that was declared only seconds before.
                    warmUp: 250,
                    broker: broker,
                    faults: [
                        { fleet in
                            try await broker.kill()
                            try await broker.start()
                            return try await fleet.now()
                        },
                        { fleet in
                            try await broker.stop()
                            try await broker.start()
                            return try await fleet.now()
                        },
                    ]
                )
            } catch {
                try await broker.remove()
                throw error
            }
            try await broker.remove()
        }

        /// Whoever finds the permits gone seeds them: all pods at once.
        @Test func podsThatSeedAtOnceMakeOneSetOfPermits() async throws {
            var settings = SaturatedFleet.Settings(pods: 4, orderings: [.none], backlog: 500 + 600 * Load.repetitions)
            settings.prefetch = 100
            try await FleetRun.repeated("all pods seed at once") {
                var times: [Double] = []
                let records = try await FleetRun.records(settings) { fleet in
                    let queues = try await fleet.permitQueues()
                    try await fleet.waitForArrivals(100)
                    for round in 0..<3 * Load.repetitions {
                        let moment = try await fleet.now()
                        // Also only what says that the permits are there.
                        try await fleet.delete(round % 3 == 1 ? queues.filter { $0.hasSuffix(".seeded") } : queues)
                        try await fleet.waitUntilRecovered(after: moment)
                        let record = ArrivalRecord(stamps: try await fleet.stamps(of: fleet.scene.application))
                        times.append(record.recovery(after: moment) ?? .infinity)
                    }
                }
                print("fleet: permits gone: back after \(times.map(rounded)) s")
                return (records, nil)
            }
        }

        @Test func aSmallerLimitIsKeptOnceTheLastPodHasIt() async throws {
            let settings = SaturatedFleet.Settings(backlog: 2000)
            try await FleetRun.repeated("50 to 40 by a rolling restart") {
                var changed = 0
                var gaps: [String] = []
                var broken: [String] = []
                let records = try await FleetRun.records(settings) { fleet in
                    try await fleet.waitForArrivals(150)
                    try SaturatedFleet.configure(fleet.scene, settings, requests: 40)
                    for pod in fleet.pods {
                        try await fleet.stop(pod)
                        try await fleet.startPod()
                    }
                    changed = try await fleet.now() + 3_000_000_000
                    try await fleet.waitForArrivals(150, after: changed)
                    try await fleet.waitUntilRecovered(after: changed, requests: 40)
                }
                for record in records {
                    let later = record.arrivals.since(changed)
                    let violations = later.violations(of: 40)
                    if !violations.isEmpty { broken.append("\(record.ordering) after the change: \(violations)") }
                    gaps.append("\(record.ordering.rawValue) \(later.worstWindow), \(rounded(later.meanRate)) a second")
                }
                print("fleet: 50 to 40: afterwards \(gaps.joined(separator: "; "))")
                return (records, broken.isEmpty ? nil : broken.joined(separator: "; "))
            }
        }

        // MARK: - Pauses

        @Test func aPauseThatOnePodIsAskedForHoldsInAllAndCostsNobodyAnAttempt() async throws {
            let pause = 6.0
            try await SaturatedFleet.run(SaturatedFleet.Settings(backlog: 400)) { fleet in
                let applications = fleet.scene.applications
                try await fleet.waitForArrivals(100)
                for application in applications {
                    try await fleet.scene.simulator.inject([
                        "match": ["kind": "grant", "application": .string("\(application)")], "times": 1,
                        "action": ["throttle": ["retryAfter": .string("\(Int(pause))")]],
                    ])
                }
                _ = try await eventually("each application is refused once") { () -> Bool? in
                    for application in applications where try await fleet.refusals(of: application).isEmpty {
                        return nil
                    }
                    return true
                }
                // On a calm machine one that comes now hears of it before its first request.
                if Load.isLong { try await fleet.startPod() }
                for application in applications {
                    let refused = try #require(try await fleet.refusals(of: application).first)
                    let end = refused + Int(pause * 1e9)
                    try await fleet.waitForArrivals(50, after: end, of: [application])
                    // What was under way before the others heard of it is not counted.
                    let between = try await fleet.stamps(of: application).filter {
                        $0 > refused + 1_500_000_000 && $0 < end - 50_000_000
                    }
                    #expect(between.isEmpty, "\(application), refused at \(refused): \(between)")
                    #expect(try await fleet.refusals(of: application).count == 1)
                }
                let attempts = fleet.platform.events.map { $0.data["attempts"]?.int }
                #expect(attempts.count > 200 && attempts.allSatisfy { $0 == 1 })
            }
        }

        // MARK: - Ownership

        @Test func aTerminatedOwnerHandsOverAtOnce() async throws {
            let settings = SaturatedFleet.Settings(
                pods: 2,
                orderings: [.customer],
                backlog: 700 + 200 * Load.repetitions
            )
            try await FleetRun.repeated("hand-over on SIGTERM") {
                var silences: [Double] = []
                let records = try await FleetRun.records(settings) { fleet in
                    for _ in 0..<Load.repetitions {
                        let moment = try await fleet.now()
                        try await fleet.waitForArrivals(100, after: moment)
                        let owner = try await fleet.victim()
                        let terminated = try await fleet.now()
                        try await fleet.stop(owner)
                        try await fleet.startPod()
                        try await fleet.waitUntilRecovered(after: terminated)
                        let record = ArrivalRecord(stamps: try await fleet.stamps(of: fleet.scene.application))
                        // Nothing in these requests takes long: the last one's arrival is its end.
                        silences.append(record.longestGap(after: terminated).seconds)
                    }
                }
                print("fleet: silence at a hand-over: \(silences.map(rounded)) s")
                return (
                    records, silences.allSatisfy { $0 <= Load.patience(2) } ? nil : "it was silent for \(silences) s"
                )
            }
        }

        @Test func applicationsLevelOutWhenAPodComesOrGoes() async throws {
            let settings = SaturatedFleet.Settings(
                pods: 3,
                orderings: Array(repeating: .customer, count: 20),
                backlog: 0
            )
            try await SaturatedFleet.run(settings) { fleet in
                try await fleet.waitUntilLevel(6...8, "3 pods at first", within: .seconds(60))
                for _ in 0..<Load.repetitions {
                    try await fleet.startPod()
                    try await fleet.waitUntilLevel(4...6, "a fourth pod has come")
                    let leaver = fleet.pods[0]
                    fleet.forget(leaver)
                    leaver.terminate()
                    try await fleet.waitUntilLevel(6...8, "a pod has left")
                    #expect(await leaver.stop() == 0)
                }
            }
        }
    }
}

extension SaturatedFleet {
    /// When requests of the application were answered 429.
    func refusals(of application: GUID) async throws -> [Int] {
        try await scene.simulator.arrivals(of: "\(application)").filter { $0.status == 429 }.map(\.atNanoseconds)
    }

    /// Stops a process in its tracks for a while; returns when it went on.
    func suspend(_ pod: WorkerProcess, for time: Duration) async throws -> Int {
        pod.suspend()
        try await Task.sleep(for: time)
        pod.resume()
        return try await now()
    }

    /// The queues of the first application's permits.
    func permitQueues() async throws -> [String] {
        let names = try await scene.broker.ctl("-q", "list_queues", "name").split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("consent.permits.") && $0.contains("\(scene.application)") }
        guard !names.isEmpty else { throw TestFailure("there are no permits") }
        return names.filter { !$0.hasSuffix(".lock") }
    }

    func delete(_ queues: [String]) async throws {
        try await scene.broker.connect { connection in
            let channel = try await connection.openChannel()
            for queue in queues { try await channel.deleteQueue(queue) }
        }
    }

    /// Waits until each pod owns so many applications and none is without an owner.
    func waitUntilLevel(_ range: ClosedRange<Int>, _ what: String, within limit: Duration = .seconds(Load.patience(30)))
        async throws
    {
        let start = ContinuousClock.now
        var last: [Int] = []
        do {
            _ = try await eventually(what, within: limit, every: .milliseconds(200)) {
                let owned = try await pods.asyncMap { try await $0.owns() }
                last = owned.map(\.count)
                let all = owned.reduce(into: Set()) { $0.formUnion($1) }
                return all.count == scene.applications.count && last.reduce(0, +) == all.count
                    && last.allSatisfy(range.contains) ? true : nil
            }
        } catch {
            throw TestFailure("\(error): \(last)")
        }
        print("fleet: \(what): \(last) after \(ContinuousClock.now - start)")
    }
}
