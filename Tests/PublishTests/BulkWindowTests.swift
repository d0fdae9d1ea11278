import ConsentContract
import Testing

@testable import consent_worker

@Suite struct BulkWindowTests {
    @Test func noMoreThanTheWindowIsUnderWay() {
        var window = BulkWindow(count: 5, limit: 2, ended: [], published: [])
        #expect(window.takeAll() == [0, 1] && window.underWay == 2 && window.unconfirmed == 2)
        window.confirm()
        #expect(window.takeAll().isEmpty)
        #expect(window.endIsFirst(1) && !window.endIsFirst(1))
        #expect(window.takeAll() == [2] && window.ended == 1 && !window.isComplete)
    }

    @Test func aResumedRunPublishesOnlyWhatWasNotPublished() {
        var window = BulkWindow(count: 6, limit: 3, ended: [0, 2], published: [0, 1, 2])
        #expect(window.ended == 2 && window.underWay == 1 && window.unconfirmed == 0)
        #expect(window.takeAll() == [3, 4])
        #expect(window.endIsFirst(1) && window.takeAll() == [5])
    }

    @Test func anEventOfACommandThatIsNotKnownToBePublishedKeepsItFromThat() {
        var window = BulkWindow(count: 2, limit: 5, ended: [], published: [])
        #expect(window.endIsFirst(0) && window.takeAll() == [1] && window.underWay == 1)
        #expect(window.endIsFirst(1) && window.isComplete && window.underWay == 0 && window.unconfirmed == 1)
    }
}

extension BulkWindow {
    fileprivate mutating func takeAll() -> [Int] {
        var taken: [Int] = []
        while let index = next() { taken.append(index) }
        return taken
    }

    fileprivate mutating func endIsFirst(_ index: Int) -> Bool { end(index) }
}

@Suite struct BulkPaceTests {
    private let start = ContinuousClock.now

    private func pace(_ left: [GUID: Int], _ limits: [GUID: Double]) -> BulkPace {
        BulkPace(left: left, limits: limits, now: start)
    }

    @Test func atFirstTheLimitTellsHowLongItTakes() {
        let pace = pace([Samples.application: 500, Samples.otherApplication: 100], [Samples.application: 50])
        #expect(pace.remaining(at: start) == .seconds(10) && pace.perSecond(at: start) == nil)
        #expect(self.pace([Samples.application: 500], [:]).remaining(at: start) == nil)
    }

    @Test func thenTheMeasuredPaceDoesButNotBeyondTheLimit() {
        var pace = pace([Samples.application: 1000], [Samples.application: 50])
        for second in 1...10 {
            for _ in 1...20 { pace.end(Samples.application) }
            pace.sample(at: start + .seconds(second))
        }
        #expect(pace.perSecond(at: start + .seconds(10)) == 20)
        #expect(pace.remaining(at: start + .seconds(10)) == .seconds(40))
        for _ in 1...400 { pace.end(Samples.application) }
        #expect(pace.remaining(at: start + .seconds(10)) == .seconds(8))
    }

    @Test func thePaceIsThatOfTheLastHalfMinuteAndNothingIsSaidWhenNothingMoves() {
        var pace = pace([Samples.application: 1000], [Samples.application: 50])
        for _ in 1...100 { pace.end(Samples.application) }
        for second in 1...31 { pace.sample(at: start + .seconds(second)) }
        #expect(pace.perSecond(at: start + .seconds(31)) == 0)
        #expect(pace.remaining(at: start + .seconds(31)) == nil)
    }

    @Test func durationsReadAsWords() {
        #expect(Duration.milliseconds(400).words == "1 s" && Duration.seconds(200).words == "3 min 20 s")
        #expect(Duration.seconds(7325).words == "2 h 2 min" && Duration.seconds(60).words == "1 min 0 s")
    }

    @Test func progressSaysWhatIsKnown() {
        typealias Figures = BulkProgress.Figures
        #expect(Figures(count: 8).text(barWidth: 0) == "0 of 8 (0 %)")
        #expect(
            Figures(count: 8, ended: 4, notSucceeded: 1, pace: 49.6, remaining: .seconds(90)).text(barWidth: 4)
                == "[##..] 4 of 8 (50 %), 1 not succeeded, 50/s, 1 min 30 s left"
        )
        #expect(Figures(count: 8, pace: 0, silence: .seconds(75)).text(barWidth: 0).contains("does a worker run?"))
    }
}
