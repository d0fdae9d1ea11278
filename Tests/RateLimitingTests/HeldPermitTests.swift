import NIOConcurrencyHelpers
import RateLimiting
import TestSupport
import Testing

@Suite("Held permit")
struct HeldPermitTests {
    private let clock = ManualClock()
    private let isUsable = NIOLockedValueBox(true)
    private let ends = NIOLockedValueBox<[HeldPermit.End]>([])

    private func permit(strict: Bool = false, lent: Bool = true) -> HeldPermit {
        let permit = HeldPermit(
            strict: strict,
            clock: clock,
            isUsable: { [isUsable] _ in isUsable.withLockedValue { $0 } },
            rest: { [ends] end in ends.withLockedValue { $0.append(end) } }
        )
        if lent { permit.lend(until: clock.now + .milliseconds(500)) }
        return permit
    }

    private var ended: [HeldPermit.End] { ends.withLockedValue { $0 } }

    @Test("rests after the send, once")
    func afterTheSend() {
        let permit = permit()
        #expect(permit.use())
        #expect(ended == [])
        permit.sent()
        #expect(ended == [.used])
        permit.finish()
        permit.giveBack()
        #expect(!permit.use())
        #expect(ended == [.used])
    }

    @Test("rests at the end of a request that broke on the way")
    func withoutSent() {
        let permit = permit()
        #expect(permit.use())
        permit.giveBack()
        #expect(ended == [])
        permit.finish()
        #expect(ended == [.used])
    }

    @Test("rests after the answer in strict mode")
    func strict() {
        let permit = permit(strict: true)
        #expect(permit.use())
        permit.sent()
        #expect(ended == [])
        permit.finish()
        #expect(ended == [.used])
    }

    @Test("rests too if it is not used, and is of no use then")
    func unused() {
        for end in [HeldPermit.finish, HeldPermit.giveBack] {
            let permit = permit()
            end(permit)()
            permit.lend(until: clock.now + .seconds(1))
            #expect(!permit.use())
            permit.sent()
            permit.finish()
        }
        #expect(ended == [.unused, .unused])
    }

    @Test("is of use only once handed out, and until its time is over")
    func time() {
        #expect(!permit(lent: false).use())
        let first = permit()
        let second = permit()
        clock.advance(by: .milliseconds(499))
        #expect(first.use())
        clock.advance(by: .milliseconds(1))
        #expect(!second.use())
        second.finish()
        #expect(ended == [.unused])
    }

    @Test("is of no use once its channel is gone or a pause has begun")
    func unusable() {
        let permit = permit()
        isUsable.withLockedValue { $0 = false }
        #expect(!permit.use())
        isUsable.withLockedValue { $0 = true }
        #expect(permit.use())
    }
}
