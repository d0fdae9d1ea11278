import Admin
import ConsentContract
import Resilience
import TestSupport
import Testing

/// What `/livez` says.
struct LivenessTests {
    private static let application = GUID(constant: "11111111-1111-4111-8111-111111111111")

    private let clock = ManualClock()

    @Test func whoTurnsAndMovesLives() async {
        let liveness = Liveness(probes: [.init("work") {}], clock: clock) { [] }
        #expect(await liveness.look().isLive)
    }

    @Test func aThreadThatDoesNotTurnIsNamed() async {
        let never = OneShot<Void>()
        let liveness = Liveness(probes: [.init("http") { await never.wait() }], clock: clock) {
            Issue.record("asked for a thread that does not turn")
            return []
        }
        async let finding = liveness.look()
        await clock.whenSleeping()
        clock.advance(by: Liveness.stall)
        let found = await finding
        #expect(!found.isLive && found.stalled == ["http"] && found.stuck.isEmpty)
        never.resolve(())
    }

    @Test func anApplicationWhoseCommandsStandStillIsNamed() async {
        let liveness = Liveness(probes: [.init("work") {}], clock: clock) { [Self.application] }
        let finding = await liveness.look()
        #expect(!finding.isLive && finding.stuck == [Self.application])
    }
}
