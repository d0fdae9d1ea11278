import ConsentContract
import TestSupport
import Testing

@testable import ConsentWorker

/// Who owns how much, as a pod reckons it from what it hears.
struct MembershipTests {
    private let applications = (0..<20).map { _ in GUID.random() }
    private let start = ContinuousClock.now

    private func member(owning count: Int = 0, pod: String = "m") -> Membership {
        var membership = Membership(pod: pod, applications: Set(applications))
        for application in applications.prefix(count) { membership.own(application) }
        return membership
    }

    @Test func aLonePodKeepsEverything() {
        let membership = member(owning: 20)
        #expect(membership.pods == 1 && membership.share == 20)
        #expect(membership.excess == nil && !membership.isFull)
    }

    @Test func aPodWithMoreThanItsShareHandsOverWhatItGotLast() {
        var membership = member(owning: 20)
        membership.heard("n", owns: [], at: start)
        #expect(membership.share == 10)
        #expect(membership.excess == applications[19])
        membership.disown(applications[19])
        #expect(membership.excess == applications[18])
        for application in applications[10...18] { membership.disown(application) }
        #expect(membership.owned.count == 10 && membership.excess == nil)
    }

    @Test func nothingIsHandedOverToPodsThatHaveTheirShare() {
        var membership = member(owning: 8)
        membership.heard("a", owns: Array(applications[8..<14]), at: start)
        membership.heard("b", owns: Array(applications[14..<20]), at: start)
        // Seven each would be even, and the others have six: one to go.
        #expect(membership.share == 7 && membership.excess != nil)
        membership.heard("a", owns: Array(applications[8..<15]), at: start)
        membership.heard("b", owns: Array(applications[13..<20]), at: start)
        #expect(membership.excess == nil)
    }

    @Test func aTokenIsPassedOnByAPodThatHasItsShareWhileAnotherHasLess() {
        var membership = member(owning: 10)
        #expect(!membership.isFull)
        membership.heard("n", owns: Array(applications[10..<19]), at: start)
        #expect(membership.isFull)
        membership.heard("n", owns: Array(applications[10..<20]), at: start)
        #expect(!membership.isFull)
    }

    @Test func aSilentPodIsForgottenAndAHeardOneIsNot() {
        var membership = member(owning: 2)
        membership.heard("a", owns: [applications[5]], at: start)
        membership.heard("b", owns: [], at: start)
        #expect(membership.pods == 3 && membership.isOwnedElsewhere(applications[5]))
        membership.heard("b", at: start + .seconds(5))
        membership.forgetSilent(at: start + .seconds(7))
        #expect(membership.pods == 2 && !membership.isOwnedElsewhere(applications[5]))
        membership.left("b")
        #expect(membership.pods == 1)
    }

    @Test func oneOfThePodsIsFirst() {
        var membership = member()
        #expect(membership.isFirst)
        membership.heard("z", owns: [], at: start)
        #expect(membership.isFirst)
        membership.heard("a", owns: [], at: start)
        #expect(!membership.isFirst)
    }

    /// Pods that hear each other and hand over one application at a time end even, whoever the broker gives it to.
    @Test(arguments: 1...50)
    func aFleetLevelsOut(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let pods = (0..<4).map { "pod-\($0)" }
        var members = Dictionary(
            uniqueKeysWithValues: pods.map { ($0, Membership(pod: $0, applications: Set(applications))) }
        )
        for application in applications { members["pod-0"]?.own(application) }
        func announce() {
            for pod in pods {
                let owned = members[pod]?.owned ?? []
                for other in pods where other != pod {
                    members[other]?.heard(pod, owns: owned, at: start)
                }
            }
        }
        announce()
        for _ in 0..<100 {
            guard let pod = pods.first(where: { members[$0]?.excess != nil }), let application = members[pod]?.excess
            else { break }
            members[pod]?.disown(application)
            announce()
            // The broker asks in any order; who is full passes on, the last one asked keeps it.
            let order = pods.shuffled(using: &generator)
            let taker = order.first { members[$0]?.isFull == false } ?? order[3]
            members[taker]?.own(application)
            announce()
        }
        #expect(pods.map { members[$0]?.owned.count } == [5, 5, 5, 5])
    }
}
