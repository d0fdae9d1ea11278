import RateLimiting
import Resilience
import TestSupport
import Testing

@Suite("Send log limiter", .timeLimit(.minutes(1)))
struct SendLogLimiterTests {
    private let clock = ManualClock()

    private func limiter(_ requests: Int) -> SendLogLimiter {
        SendLogLimiter(limit: RateLimit(requests: requests, margin: .zero), clock: clock)
    }

    private func send(_ limiter: SendLogLimiter) async throws {
        let permit = try await limiter.acquire()
        #expect(permit.use())
        permit.finish()
    }

    @Test("admits in order of arrival, each as its time comes")
    func order() async throws {
        let limiter = limiter(1)
        let log = EventLog<Int>()
        let start = clock.now
        try await send(limiter)
        let tasks = (1...5).map { number in
            Task.immediate {
                try await send(limiter)
                log.append(number)
            }
        }
        for count in 1...5 {
            await clock.whenSleeping()
            #expect(clock.sleepers == 1)
            clock.advance(by: .milliseconds(999))
            #expect(log.events.count == count - 1)
            clock.advance(by: .milliseconds(1))
            await log.when(count)
        }
        for task in tasks { try await task.value }
        #expect(log.events == [1, 2, 3, 4, 5])
        #expect(clock.now - start == .seconds(5))
    }

    @Test("a waiter that is cancelled takes nothing and holds nobody up")
    func cancellation() async throws {
        let limiter = limiter(1)
        try await send(limiter)
        let first = Task.immediate { try await send(limiter) }
        await clock.whenSleeping()
        let second = Task.immediate { try await send(limiter) }
        let third = Task.immediate { try await send(limiter) }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        await clock.whenSleeping()
        clock.advance(by: .seconds(1))
        try await third.value
    }

    @Test("a pause holds who waits already and who comes, until its end")
    func pause() async throws {
        let limiter = limiter(10)
        let end = clock.now + .seconds(60)
        limiter.pause(until: end)
        let task = Task.immediate { try await send(limiter) }
        await clock.whenSleeping()
        limiter.pause(until: end + .seconds(10))
        clock.advance(by: .seconds(60))
        await clock.whenSleeping()
        #expect(clock.advanceToNext() == .seconds(10))
        try await task.value
    }

    @Test("an unused permit goes back")
    func unused() async throws {
        let limiter = limiter(1)
        let permit = try await limiter.acquire()
        let task = Task.immediate { try await send(limiter) }
        clock.advance(by: .seconds(10))
        #expect(clock.sleepers == 0)
        permit.finish()
        try await task.value
        #expect(!permit.use())
    }

    @Test("where all permits are taken and none used, the first use starts the rest")
    func allTaken() async throws {
        let limiter = limiter(2)
        let permits = [try await limiter.acquire(), try await limiter.acquire()]
        let task = Task.immediate { try await send(limiter) }
        clock.advance(by: .seconds(100))
        #expect(permits[0].use())
        await clock.whenSleeping()
        #expect(clock.advanceToNext() == .seconds(1))
        try await task.value
        permits[1].finish()
    }

    @Test("a waiter for a use is cancelled at once")
    func cancelledWhileAllTaken() async throws {
        let limiter = limiter(1)
        let permit = try await limiter.acquire()
        let task = Task.immediate { try await send(limiter) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        permit.finish()
        try await send(limiter)
    }

    @Test("a permit is used once, and its end after that changes nothing")
    func usedOnce() async throws {
        let limiter = limiter(1)
        let permit = try await limiter.acquire()
        #expect(permit.use())
        #expect(!permit.use())
        permit.finish()
        permit.finish()
        let task = Task.immediate { try await send(limiter) }
        await clock.whenSleeping()
        #expect(clock.advanceToNext() == .seconds(1))
        try await task.value
    }

    @Test("an unlimited key admits always, but for a pause that the API asked for")
    func unlimited() async throws {
        let limiter = Unlimited(clock: clock)
        for _ in 0..<1000 {
            let permit = try await limiter.acquire()
            #expect(permit.use())
            permit.finish()
        }
        limiter.pause(until: clock.now + .seconds(1000))
        limiter.pause(until: clock.now + .seconds(5))
        let task = Task.immediate { _ = try await limiter.acquire() }
        await clock.whenSleeping()
        #expect(clock.advanceToNext() == .seconds(1000))
        try await task.value
    }

    @Test("a strict limiter lets a permit rest from the answer on")
    func strict() async throws {
        let limiter = SendLogLimiter(limit: RateLimit(requests: 1, margin: .zero), strict: true, clock: clock)
        let permit = try await limiter.acquire()
        #expect(permit.use())
        permit.sent()
        clock.advance(by: .seconds(3))
        let task = Task.immediate { _ = try await limiter.acquire() }
        permit.finish()
        await clock.whenSleeping()
        #expect(clock.advanceToNext() == .seconds(1))
        try await task.value
    }
}
