import Testing

@testable import partner_center_simulator

@Suite struct SlidingWindowLogTests {
    private func admit(_ milliseconds: [Int], limit: Int, window: Int = 1000) -> [Bool] {
        var log = SlidingWindowLog()
        return milliseconds.map {
            log.admit(at: TestValues.milliseconds($0), limit: limit, windowMilliseconds: window)
        }
    }

    @Test func `the request after the limit is refused`() {
        #expect(admit([0, 1, 2, 3], limit: 3) == [true, true, true, false])
    }

    @Test func `a request exactly one window after the oldest is admitted, one nanosecond earlier it is not`() {
        var log = SlidingWindowLog()
        let verdicts = [0, 999_999_999, 1_000_000_000].map {
            log.admit(at: MonotonicTime(nanoseconds: $0), limit: 1, windowMilliseconds: 1000)
        }
        #expect(verdicts == [true, false, true])
    }

    @Test func `a refused request takes no room`() {
        #expect(admit([0, 500, 900, 1000], limit: 1) == [true, false, false, true])
    }

    @Test func `every window counts, not only those that begin on a full second`() {
        // Two at the end of one second and two at the beginning of the next are four in a window.
        #expect(admit([900, 950, 1050, 1100], limit: 3) == [true, true, true, false])
    }

    @Test func `a late stamp is judged by the windows around it on both sides`() {
        #expect(admit([0, 1500, 800], limit: 1) == [true, true, false])
        #expect(admit([0, 1500, 500], limit: 2) == [true, true, true])
        // Of the windows around 700, the one from 0 on has room, but the one from 700 on has not.
        #expect(admit([0, 1200, 1300, 700], limit: 2) == [true, true, true, false])
    }

    @Test func `a sender within the limit is never refused, in whatever order its stamps come`() {
        var generator = SeededGenerator(seed: 7)
        // Three at once every 100 ms: at most 30 in any window of a second.
        let stamps = (0..<600).map { $0 / 3 * 100 }
        // Shuffled in groups, as threads that overtake each other would.
        let shuffled = stride(from: 0, to: stamps.count, by: 20).flatMap {
            stamps[$0..<$0 + 20].shuffled(using: &generator)
        }
        #expect(admit(shuffled, limit: 30).allSatisfy { $0 })
        #expect(admit(shuffled, limit: 29).contains(false))
    }

    @Test func `what is admitted never exceeds the limit in any window`() {
        var generator = SeededGenerator(seed: 3)
        let stamps = (0..<2000).map { _ in Int.random(in: 0..<20_000, using: &generator) }
        let verdicts = admit(stamps, limit: 10)
        let admitted = zip(stamps, verdicts).filter { $0.1 }.map(\.0).sorted()
        #expect(admitted.count > 100)
        for index in admitted.indices.dropFirst(10) {
            #expect(admitted[index] - admitted[index - 10] >= 1000)
        }
    }

    @Test func `stamps that no longer matter are forgotten`() {
        var log = SlidingWindowLog()
        for number in 0..<10_000 {
            _ = log.admit(at: TestValues.milliseconds(number * 20), limit: 50, windowMilliseconds: 1000)
        }
        #expect(log.admitted.count < 5000)
        #expect(log.admitted.last == 9999 * 20 * 1_000_000)
    }
}
