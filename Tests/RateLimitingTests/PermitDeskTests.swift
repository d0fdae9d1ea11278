import RateLimiting
import Testing

@Suite("Permit desk")
struct PermitDeskTests {
    private static let marker = PermitMarker(
        terms: PermitTerms(requests: 50, restMilliseconds: 1000, strict: false),
        version: 1,
        epoch: "now"
    )

    private let start = ContinuousClock.now
    private let timings = PermitTimings()

    private func desk() -> PermitDesk<Int> { PermitDesk(Self.marker, timings: timings, now: start) }

    private func subscribed() -> PermitDesk<Int> {
        var desk = desk()
        desk.subscribed(asked: start)
        // The answer to the subscription is followed by a wait for the first permit.
        _ = desk.next(at: start, wantedFrom: start)
        return desk
    }

    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    /// The step as text: permits by number, times in milliseconds from the start.
    private func next(_ desk: inout PermitDesk<Int>, at milliseconds: Int, wantedFrom: Int? = nil) -> String {
        func time(_ instant: ContinuousClock.Instant) -> String { "\((instant - start) / .milliseconds(1))" }
        return switch desk.next(at: at(milliseconds), wantedFrom: wantedFrom.map { at($0) }) {
        case .handOut(let permit, let until): "hand out \(permit) until \(time(until))"
        case .giveBack(let permit): "give back \(permit)"
        case .takeAway(let permit): "take away \(permit)"
        case .look: "look"
        case .prove: "prove"
        case .subscribe: "subscribe"
        case .unsubscribe: "unsubscribe"
        case .wait(let until): "wait \(until.map { time($0) } ?? "long")"
        }
    }

    @Test("asks the broker for nothing while nobody waits")
    func idle() {
        var desk = desk()
        #expect(next(&desk, at: 0) == "wait long")
        #expect(next(&desk, at: 10_000) == "wait long")
        #expect(next(&desk, at: 10_000, wantedFrom: 10_000) == "subscribe")
    }

    @Test("hands out what came, good for as long as the broker is known to count it as ours")
    func handOut() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: false, at: at(60))
        #expect(next(&desk, at: 60, wantedFrom: 0) == "hand out 1 until 500.0")
    }

    @Test("hears from the broker first if that was long ago")
    func proof() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: false, at: at(100))
        #expect(next(&desk, at: 100, wantedFrom: 0) == "prove")
        desk.answered(asked: at(100))
        // However slow the answer was, it is the best there is.
        #expect(next(&desk, at: 350, wantedFrom: 0) == "hand out 1 until 600.0")
        desk.arrived(2, epoch: "now", redelivered: false, at: at(351))
        #expect(next(&desk, at: 351, wantedFrom: 0) == "prove")
        // Not older than what it has heard already.
        desk.answered(asked: at(40))
        #expect(next(&desk, at: 360, wantedFrom: 0) == "hand out 2 until 600.0")
    }

    @Test("no answer makes a permit good for longer than it may be held")
    func heldAndProven() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: false, at: at(10))
        #expect(next(&desk, at: 290, wantedFrom: 290) == "prove")
        desk.answered(asked: at(290))
        #expect(next(&desk, at: 291, wantedFrom: 290) == "hand out 1 until 510.0")
    }

    @Test("an answer from before a wait does not count as the one just asked for")
    func answerBeforeAWait() {
        var desk = subscribed()
        #expect(next(&desk, at: 1, wantedFrom: 0) == "wait long")
        desk.arrived(1, epoch: "now", redelivered: false, at: at(400))
        #expect(next(&desk, at: 400, wantedFrom: 0) == "prove")
    }

    @Test("an answer that came too late for any use is asked for again")
    func answerTooLate() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: false, at: at(200))
        #expect(next(&desk, at: 200, wantedFrom: 0) == "prove")
        desk.answered(asked: at(200))
        #expect(next(&desk, at: 700, wantedFrom: 0) == "give back 1")
        desk.arrived(2, epoch: "now", redelivered: false, at: at(700))
        #expect(next(&desk, at: 700, wantedFrom: 0) == "prove")
    }

    @Test("never hands out a redelivered permit: it cools, then rests")
    func redelivered() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: true, at: at(10))
        #expect(next(&desk, at: 10, wantedFrom: 0) == "wait 510.0")
        #expect(next(&desk, at: 509, wantedFrom: 0) == "wait 510.0")
        #expect(next(&desk, at: 510, wantedFrom: 0) == "give back 1")
        #expect(next(&desk, at: 510, wantedFrom: 0) == "wait long")
    }

    @Test("a permit that cools goes on cooling when the pod stops asking, and never goes back early")
    func redeliveredWhileIdle() {
        var desk = subscribed()
        #expect(next(&desk, at: 200, wantedFrom: 0) == "wait long")
        desk.arrived(1, epoch: "now", redelivered: true, at: at(210))
        #expect(next(&desk, at: 500) == "unsubscribe")
        desk.unsubscribed()
        #expect(next(&desk, at: 500) == "wait 710.0")
        #expect(desk.clear() == [])
    }

    @Test("looks at the marker for another epoch, and takes away what is of none that counts")
    func otherEpoch() {
        var desk = subscribed()
        desk.arrived(1, epoch: "then", redelivered: false, at: at(1))
        desk.arrived(2, epoch: nil, redelivered: true, at: at(1))
        #expect(next(&desk, at: 1, wantedFrom: 0) == "look")
        desk.adopt(epoch: "now")
        #expect(Set([next(&desk, at: 2), next(&desk, at: 2)]) == ["take away 1", "take away 2"])
        #expect(next(&desk, at: 2, wantedFrom: 0) == "wait long")
    }

    @Test("a pod that was away while the permits were seeded anew goes by the new epoch")
    func newEpoch() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: false, at: at(1))
        desk.arrived(2, epoch: "next", redelivered: false, at: at(2))
        #expect(next(&desk, at: 2, wantedFrom: 0) == "look")
        desk.adopt(epoch: "next")
        #expect(next(&desk, at: 3, wantedFrom: 0) == "take away 1")
        #expect(next(&desk, at: 3, wantedFrom: 0) == "hand out 2 until 500.0")
    }

    @Test("a permit that nobody wants is given back once nobody has wanted one for a while, after the consumer")
    func letGo() {
        var desk = subscribed()
        #expect(next(&desk, at: 100, wantedFrom: 100) == "wait long")
        desk.arrived(1, epoch: "now", redelivered: false, at: at(110))
        #expect(next(&desk, at: 110) == "wait 400.0")
        #expect(next(&desk, at: 400) == "unsubscribe")
        desk.unsubscribed()
        #expect(next(&desk, at: 401) == "give back 1")
        #expect(next(&desk, at: 402) == "wait long")
    }

    @Test("a permit is given back when it has been held too long, whoever waits")
    func heldTooLong() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: false, at: at(10))
        // Paused until far in the future.
        #expect(next(&desk, at: 20, wantedFrom: 9999) == "wait 300.0")
        #expect(next(&desk, at: 300, wantedFrom: 9999) == "unsubscribe")
        #expect(next(&desk, at: 510, wantedFrom: 510) == "give back 1")
    }

    @Test("a permit that was handed out and not used ends when its use is no longer good")
    func lent() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: false, at: at(50))
        #expect(next(&desk, at: 50, wantedFrom: 50) == "hand out 1 until 500.0")
        #expect(next(&desk, at: 50, wantedFrom: 50) == "wait 500.0")
        #expect(next(&desk, at: 500, wantedFrom: 50) == "give back 1")
    }

    @Test("a permit that nobody took goes to the next who asks")
    func takenBack() {
        var desk = subscribed()
        desk.arrived(1, epoch: "now", redelivered: false, at: at(50))
        #expect(next(&desk, at: 50, wantedFrom: 50) == "hand out 1 until 500.0")
        desk.takeBack()
        #expect(next(&desk, at: 60) == "wait 350.0")
        #expect(next(&desk, at: 60, wantedFrom: 60) == "hand out 1 until 500.0")
    }

    @Test("five starts go back to back, further ones are spaced")
    func pacing() {
        var desk = subscribed()
        for number in 1...7 { desk.arrived(number, epoch: "now", redelivered: false, at: at(0)) }
        for number in 1...5 { #expect(next(&desk, at: 0, wantedFrom: 0) == "hand out \(number) until 500.0") }
        #expect(next(&desk, at: 0, wantedFrom: 0) == "wait 20.0")
        #expect(next(&desk, at: 20, wantedFrom: 0) == "hand out 6 until 500.0")
        #expect(next(&desk, at: 20, wantedFrom: 0) == "wait 40.0")
    }

    @Test("what is held when the channel is left is to be given back, used or not")
    func left() {
        var desk = subscribed()
        for number in 1...2 { desk.arrived(number, epoch: "now", redelivered: false, at: at(0)) }
        desk.arrived(3, epoch: "now", redelivered: true, at: at(0))
        #expect(next(&desk, at: 0, wantedFrom: 0) == "hand out 1 until 500.0")
        #expect(Set(desk.clear()) == [1, 2])
        #expect(next(&desk, at: 100, wantedFrom: 0) == "wait long")
    }
}
