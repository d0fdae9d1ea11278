import Resilience
import TestSupport
import Testing

@Suite("Breaker gate", .timeLimit(.minutes(1)))
struct BreakerGateTests {
    private let clock = ManualClock()
    private let changes = EventLog<Bool>()

    private func gate() -> BreakerGate {
        let policy = CircuitBreaker.Policy(failureRatio: 1, minimumSamples: 1, probe: .seconds(1))
        return BreakerGate(policy, clock: clock) { [changes] in changes.append($0) }
    }

    private func opened() throws -> BreakerGate {
        let gate = gate()
        try #require(gate.enterAtOnce()).failed()
        #expect(gate.isOpen && gate.enterAtOnce() == nil)
        return gate
    }

    @Test("keeps all waiting but one probe, and lets all go when it succeeds")
    func outage() async throws {
        let gate = try opened()
        let passes = EventLog<Int>()
        let probed = OneShot<BreakerGate.Pass>()
        let tasks = (0..<20).map { number in
            Task {
                let pass = try await gate.enter()
                passes.append(number)
                probed.resolve(pass)
            }
        }
        await clock.whenSleeping(20)
        #expect(gate.waiting == 20 && passes.events.isEmpty)
        clock.advance(by: .seconds(1))
        let probe = await probed.wait()
        #expect(passes.events.count == 1)
        probe.succeeded()
        for task in tasks { try await task.value }
        #expect(passes.events.count == 20 && gate.waiting == 0)
        #expect(changes.events == [true, false])
    }

    @Test("a failed probe makes the next one wait for its time")
    func failedProbe() async throws {
        let gate = try opened()
        let first = Task { try await gate.enter() }
        await clock.whenSleeping()
        clock.advance(by: .seconds(1))
        try await first.value.failed()
        let second = Task { try await gate.enter() }
        await clock.whenSleeping()
        clock.advance(by: .milliseconds(999))
        #expect(gate.waiting == 1)
        clock.advance(by: .milliseconds(1))
        try await second.value.succeeded()
        #expect(!gate.isOpen)
    }

    @Test("a wait that is cancelled ends, and costs the others nothing")
    func cancellation() async throws {
        let gate = try opened()
        let cancelled = Task { try await gate.enter() }
        let other = Task { try await gate.enter() }
        await clock.whenSleeping(2)
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { _ = try await cancelled.value }
        clock.advance(by: .seconds(1))
        try await other.value.succeeded()
        #expect(!gate.isOpen && gate.waiting == 0)
    }

    @Test("a throttled probe shows that the other side lives; a throttled request shows nothing")
    func throttling() async throws {
        let gate = gate()
        try #require(gate.enterAtOnce()).throttled()
        #expect(!gate.isOpen)
        try #require(gate.enterAtOnce()).failed()
        let probe = Task { try await gate.enter() }
        await clock.whenSleeping()
        clock.advance(by: .seconds(1))
        try await probe.value.throttled()
        #expect(!gate.isOpen)
    }
}
