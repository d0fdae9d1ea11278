import Resilience
import TestSupport
import Testing

@Suite("One shot", .timeLimit(.minutes(1)))
struct OneShotTests {
    @Test("a value that came first is there for the waiter")
    func resolvedFirst() async {
        let shot = OneShot<Int>()
        #expect(shot.resolve(1))
        #expect(await shot.wait() == 1)
        #expect(await shot.wait(orWhenCancelled: 2) == 1)
    }

    @Test("only the first value counts")
    func doubleResolve() async {
        let shot = OneShot<Int>()
        #expect(shot.resolve(1))
        #expect(!shot.resolve(2))
        #expect(await shot.wait() == 1)
    }

    @Test("a cancelled task gets the value for that, and later values are refused")
    func cancelledFirst() async {
        let shot = OneShot<Int>()
        let task = Task { await shot.wait(orWhenCancelled: -1) }
        task.cancel()
        #expect(await task.value == -1)
        #expect(!shot.resolve(1))
    }

    @Test("a task that is cancelled before it waits does not wait")
    func cancelledBeforeWait() async {
        let shot = OneShot<Int>()
        let gate = OneShot<Void>()
        let task = Task {
            await gate.wait()
            return await shot.wait(orWhenCancelled: -1)
        }
        task.cancel()
        gate.resolve(())
        #expect(await task.value == -1)
    }

    @Test("a plain wait is not ended by cancellation")
    func plainWait() async {
        let shot = OneShot<Int>()
        let task = Task { await shot.wait() }
        task.cancel()
        #expect(shot.resolve(1))
        #expect(await task.value == 1)
    }

    @Test("of value and cancellation at once every party sees the same", arguments: 0..<300)
    func race(round: Int) async {
        let shot = OneShot<Int>()
        let task = Task { await shot.wait(orWhenCancelled: -1) }
        async let first = Task { shot.resolve(1) }.value
        task.cancel()
        let (won, value) = await (first, task.value)
        #expect(value == (won ? 1 : -1))
    }

    @Test("of many values exactly one wins")
    func manyResolvers() async {
        let shot = OneShot<Int>()
        let wins = await withTaskGroup { group in
            for value in 0..<100 { group.addTask { shot.resolve(value) ? value : nil } }
            return await group.compactMap(\.self).reduce(into: []) { $0.append($1) }
        }
        #expect(wins.count == 1)
        #expect(await shot.wait() == wins.first)
    }
}
