import Testing
import TestSupport

@testable import ConsentWorker

/// The order of each key.
struct LanesTests {
    @Test func oneElementOfALaneRunsAtATimeAndLanesRunBesideEachOther() {
        var lanes = Lanes<String, Int>()
        let runs = [lanes.enter("a", 1), lanes.enter("a", 2), lanes.enter("b", 3)]
        #expect(runs == [true, false, true])
        #expect(lanes["a"] == [1, 2] && Set(lanes.elements) == [1, 2, 3])
        #expect(lanes.count == 3 && lanes.laneCount == 2)
        let followers = [lanes.next(in: "a"), lanes.next(in: "a")]
        #expect(followers == [2, nil])
        #expect(lanes["a"].isEmpty)
        #expect(lanes.count == 1 && lanes.laneCount == 1)
        let runsAgain = lanes.enter("a", 4)
        #expect(runsAgain)
    }

    @Test(arguments: 1...20)
    func everyLaneKeepsItsOrderUnderAnyInterleaving(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var lanes = Lanes<Int, Int>()
        var running: [Int: Int] = [:]
        var ended: [Int: [Int]] = [:]
        var entered: [Int: [Int]] = [:]
        for number in 0..<500 {
            let key = Int.random(in: 0..<7, using: &generator)
            entered[key, default: []].append(number)
            if lanes.enter(key, number) {
                #expect(running[key] == nil)
                running[key] = number
            }
            if Bool.random(using: &generator), let (key, number) = running.randomElement(using: &generator) {
                ended[key, default: []].append(number)
                running[key] = lanes.next(in: key)
            }
        }
        while let (key, number) = running.first {
            ended[key, default: []].append(number)
            running[key] = lanes.next(in: key)
        }
        #expect(ended == entered)
    }
}
