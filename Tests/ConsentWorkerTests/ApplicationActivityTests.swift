import Resilience
import TestSupport
import Testing

@testable import ConsentWorker

/// What a pod notes of one application's commands.
struct ApplicationActivityTests {
    private let clock = ManualClock()

    @Test func aCommandThatNeitherEndsNorGoesBackIsStuck() async {
        let activity = ApplicationActivity(application: nil, clock: clock)
        #expect(await !activity.isStuck, "nobody consumes")

        let receipt = clock.now
        activity.consumes { receipt }
        clock.advance(by: CommandSessions.oldestDelivery)
        #expect(await !activity.isStuck, "it is about to go back")
        clock.advance(by: ApplicationActivity.longestInHand)
        #expect(await activity.isStuck)

        activity.consumes { nil }
        #expect(await !activity.isStuck, "nothing is in hand")
        activity.consumes { receipt }
        activity.consumes(nil)
        #expect(await !activity.isStuck, "the window went back")
    }
}
