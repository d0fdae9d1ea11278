import ConsentContract
import JSON
import MicrosoftAPI
import Testing

@testable import ConsentWorker

/// What a pod says of itself.
struct StatusProblemsTests {
    private static let application = GUID(constant: "11111111-1111-4111-8111-111111111111")

    private func snapshot(_ change: (inout StatusSnapshot) -> Void = { _ in }) -> StatusSnapshot {
        let application = StatusSnapshot.Application(
            applicationID: Self.application,
            ordering: .customer,
            role: .owner,
            owner: "pod-1",
            waiting: 100,
            inHand: 20,
            lanes: 20,
            prefetch: 200,
            apis: PerAPI { _ in
                StatusSnapshot.Use(
                    limit: .init(requests: 50, window: .seconds(1)),
                    sent: [Int](repeating: 48, count: 60),
                    inFlight: 3,
                    throttled: 0,
                    failedRequests: 0
                )
            },
            outcomes: OutcomeCounts(),
            total: OutcomeCounts(),
            times: CommandTimes(),
            rate: 48
        )
        var snapshot = StatusSnapshot(
            pod: "pod-1",
            version: "1",
            time: Timestamp(milliseconds: 0),
            uptime: .seconds(1),
            reasons: [],
            applications: [application],
            queues: [
                .init(name: "consent.dead-letters", messages: 0), .init(name: "consent.events.unclaimed"),
                .init(name: "consent.commands.\(Self.application)", messages: 100),
            ],
            pods: [.init(name: "pod-1", owns: [Self.application], isThisOne: true)],
            breakers: [.init(host: "graph", title: "Microsoft Graph", isOpen: false)],
            failures: []
        )
        change(&snapshot)
        return snapshot
    }

    @Test func aPodUnderLoadHasNoProblem() {
        #expect(snapshot().problems.isEmpty)
    }

    private static let troubles: [(String, @Sendable (inout StatusSnapshot) -> Void)] = [
        ("it has to sign in again", { $0.applications[0].refusedPartners = [application] }),
        ("not ready: not connected to the broker", { $0.reasons = ["not connected to the broker"] }),
        ("Microsoft Graph fails most requests", { $0.breakers[0].isOpen = true }),
        ("hears of none that owns application 11111111", { $0.applications[0].owner = nil }),
        ("An operator has paused application", { $0.applications[0].isPaused = true }),
        ("Partner Center throttles application", { $0.applications[0].apis[.partnerCenter].throttled = 2 }),
        ("a pause of 3 s more", { $0.applications[0].apis[.graph].pause = .milliseconds(2500) }),
        ("1 request of application", { $0.applications[0].apis[.graph].failedRequests = 1 }),
        (
            "All 200 commands in hand",
            {
                $0.applications[0].lanes = 1
                $0.applications[0].inHand = 200
            }
        ),
        ("1 command of application", { $0.applications[0].outcomes.failed = 1 }),
        ("7 dead letters wait", { $0.queues[0].messages = 7 }),
        ("1 event reached no queue", { $0.queues[1].messages = 1 }),
    ]

    @Test(arguments: troubles.map(\.0).indices)
    func everyTroubleIsToldOnceWithARemedy(index: Int) throws {
        let (text, change) = Self.troubles[index]
        let problems = snapshot(change).problems
        let problem = try #require(problems.first)
        #expect(problems.count == 1 && problem.text.contains(text) && problem.remedy.count > 10, "\(problem)")
    }

    @Test func whatStopsWorkComesBeforeWhatSlowsIt() {
        let problems = snapshot {
            $0.applications[0].apis[.graph].throttled = 1
            $0.breakers[0].isOpen = true
        }.problems
        #expect(problems.map(\.severity) == [.error, .warning])
    }

    @Test func theTimeLeftIsWhatWaitsAtThePresentRate() {
        #expect(snapshot().applications[0].remaining == .seconds(3))
        let paused = snapshot { $0.applications[0].apis[.graph].pause = .seconds(40) }
        #expect(paused.applications[0].remaining == .seconds(43))
        #expect(snapshot { $0.applications[0].isPaused = true }.applications[0].remaining == nil)
        #expect(snapshot { $0.applications[0].rate = 0 }.applications[0].remaining == nil)
        #expect(snapshot { $0.applications[0].role = .standby }.applications[0].remaining == nil)
        #expect(snapshot { $0.applications[0].waiting = nil }.applications[0].remaining == nil)
    }

    @Test func whatIsNotKnownIsNull() throws {
        let json = try JSONParser.parse(snapshot().json.bytes)
        #expect(json["queues"]?.array?[1]["messages"] == .null)
        let application = try #require(json["applications"]?.array?.first)
        #expect(application["waiting"] == 100 && application["remainingMs"] == 3000)
        let use = try #require(application["apis"]?.array?.first)
        #expect(use["sent"]?.array?.count == 60 && use["pausedMs"] == .null && use["limit"]?["perMs"] == 1000)
    }
}
