import Resilience
import TestSupport
import Testing

@Suite("Retry budget", .timeLimit(.minutes(1)))
struct RetryBudgetTests {
    private let clock = ManualClock()

    private func budget(reserve: Int) -> RetryBudget {
        RetryBudget(RetryBudget.Policy(perSuccess: 2, reserve: reserve), clock: clock)
    }

    @Test("retries take from the reserve, successes fill it, up to what it was")
    func reserve() async throws {
        let budget = budget(reserve: 3)
        for _ in 0..<3 { try await budget.spend() }
        #expect(budget.left == 0)
        budget.succeeded()
        #expect(budget.left == 2)
        budget.succeeded()
        #expect(budget.left == 3)
    }

    @Test("an empty one lets one retry through each second, in order")
    func trickle() async throws {
        let budget = budget(reserve: 1)
        try await budget.spend()
        let log = EventLog<Int>()
        let tasks = (0..<3).map { number in
            Task.immediate {
                try await budget.spend()
                log.append(number)
            }
        }
        for count in 1...3 {
            await clock.whenSleeping()
            #expect(log.events.count == count - 1)
            clock.advance(by: .seconds(1))
            await log.when(count)
        }
        #expect(log.events == [0, 1, 2])
        for task in tasks { try await task.value }
    }

    @Test("a success wakes who waits")
    func success() async throws {
        let budget = budget(reserve: 1)
        try await budget.spend()
        let waiting = Task { try await budget.spend() }
        await clock.whenSleeping()
        budget.succeeded()
        try await waiting.value
        #expect(budget.left == 0)
    }

    @Test("a wait that is cancelled takes nothing")
    func cancellation() async throws {
        let budget = budget(reserve: 1)
        try await budget.spend()
        let waiting = Task { try await budget.spend() }
        await clock.whenSleeping()
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        budget.succeeded()
        #expect(budget.left == 1)
        try await budget.spend()
    }
}
