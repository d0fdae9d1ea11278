import Testing

@testable import partner_center_simulator

@Suite struct ArrivalLogTests {
    private let log = ArrivalLog()

    private func begin() -> Int {
        log.begin(TestValues.grantCall(), subject: Subject(application: "a"), admitted: true)
    }

    @Test func `a request shows before it has an answer`() {
        _ = begin()
        #expect(log.arrivals().map(\.status) == [nil])
    }

    @Test func `since leaves out what was seen`() {
        let first = begin()
        let second = begin()
        #expect(log.arrivals(after: first).map(\.n) == [second])
        #expect(log.arrivals(after: second).isEmpty)
    }

    @Test func `numbers go on after arrivals are forgotten, and requests that ran meanwhile do no harm`() {
        let running = begin()
        log.forget()
        let next = begin()
        log.complete(running, with: Outcome(Answer(status: 500)), faults: [])
        #expect(next == running + 1)
        #expect(log.arrivals().map(\.status) == [nil])
        log.complete(next, with: Outcome(Answer(status: 201), effect: .granted), faults: ["f", "g"])
        #expect(log.arrivals().map(\.status) == [201])
        #expect(log.arrivals().map(\.fault) == ["f,g"])
        #expect(log.arrivals(after: running).map(\.n) == [next])
    }

    @Test func `a request without an answer has no status`() {
        var answer = Answer(status: 201)
        answer.delivery = .reset
        log.complete(begin(), with: Outcome(answer, effect: .granted), faults: [])
        #expect(log.arrivals().map(\.status) == [nil])
        #expect(log.arrivals().map(\.effect) == [.granted])
    }
}
