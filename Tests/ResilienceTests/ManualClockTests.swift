import ConsentContract
import Resilience
import TestSupport
import Testing

@Suite("Test support", .timeLimit(.minutes(1)))
struct ManualClockTests {
    @Test("a manual clock wakes sleepers in the order of their times, each not before its own")
    func order() async throws {
        let clock = ManualClock()
        let start = clock.now
        let woken = EventLog<Int>()
        try await withThrowingTaskGroup { group in
            for seconds in [3, 1, 2] {
                group.addTask {
                    try await clock.sleep(until: start + .seconds(seconds))
                    woken.append(seconds)
                }
            }
            await clock.whenSleeping(3)
            clock.advance(by: .milliseconds(999))
            #expect(clock.sleepers == 3)
            for count in 1...3 {
                clock.advance(by: .seconds(1))
                await woken.when(count)
                #expect(woken.events == Array(1...count))
            }
            try await group.waitForAll()
        }
        #expect(clock.now == start + .milliseconds(3999))
    }

    @Test("a manual clock does not let a task sleep for what is past")
    func past() async throws {
        let clock = ManualClock()
        try await clock.sleep(until: clock.now)
        try await clock.sleep(for: .seconds(-1))
        #expect(clock.sleepers == 0)
    }

    @Test("a manual clock's sleeper ends when it is cancelled")
    func cancellation() async {
        let clock = ManualClock()
        let task = Task { try await clock.sleep(for: .seconds(1)) }
        await clock.whenSleeping()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleepers == 0)
        #expect(clock.advanceToNext() == nil)
    }

    @Test("a manual clock moves on to the next sleeper")
    func next() async throws {
        let clock = ManualClock()
        let task = Task { try await clock.sleep(for: .milliseconds(70)) }
        await clock.whenSleeping()
        #expect(clock.advanceToNext() == .milliseconds(70))
        try await task.value
    }

    @Test("a manual time of day moves as told")
    func wallClock() {
        let clock = ManualWallClock(now: Timestamp(milliseconds: 5))
        clock.advance(by: .milliseconds(1500))
        #expect(clock.now.milliseconds == 1505)
    }

    @Test("a seed gives SplitMix64's published numbers")
    func generator() {
        var generator = SeededGenerator(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in generator.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ]
        )
    }
}
