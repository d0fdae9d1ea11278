import MicrosoftAPI
import Testing

@testable import ConsentWorker

/// The last minute, second by second.
struct MinuteHistoryTests {
    private let start = ContinuousClock.now

    private func record(_ history: inout MinuteHistory, at offset: Duration) {
        history.record(at: start + offset) { $0.sent[.graph] += 1 }
    }

    private func sent(_ history: inout MinuteHistory, at offset: Duration) -> [Int] {
        history.recent(at: start + offset).map { $0.sent[.graph] }
    }

    @Test func whatHappensInOneSecondIsCountedTogether() {
        var history = MinuteHistory(origin: start)
        for milliseconds in [0, 500, 999, 1000] { record(&history, at: .milliseconds(milliseconds)) }
        let seconds = sent(&history, at: .milliseconds(1500))
        #expect(seconds.count == 61 && seconds.suffix(2) == [3, 1])
        #expect(seconds.dropLast(2).allSatisfy { $0 == 0 })
    }

    @Test func aSecondIsForgottenAMinuteLater() {
        var history = MinuteHistory(origin: start)
        record(&history, at: .zero)
        #expect(sent(&history, at: .milliseconds(60_999)).first == 1)
        #expect(sent(&history, at: .seconds(61)).reduce(0, +) == 0)
    }

    @Test func aLongSilenceLeavesNothingBehind() {
        var history = MinuteHistory(origin: start)
        for second in 0..<61 { record(&history, at: .seconds(second)) }
        #expect(sent(&history, at: .seconds(10_000)).allSatisfy { $0 == 0 })
        record(&history, at: .seconds(10_000))
        #expect(sent(&history, at: .seconds(10_000)).last == 1)
    }

    @Test func aClockThatWasReadEarlierCountsInTheSecondThatRuns() {
        var history = MinuteHistory(origin: start)
        record(&history, at: .seconds(5))
        record(&history, at: .milliseconds(4990))
        #expect(sent(&history, at: .seconds(5)).last == 2)
    }
}
