import NIOConcurrencyHelpers
import Resilience
import TestSupport
import Testing

@Suite("Concurrency gate", .timeLimit(.minutes(1)))
struct ConcurrencyGateTests {
    /// Starts a task that waits in front of the gate, and returns once it does: the gate has no eyes, so each task
    /// enters the queue before the next is started.
    private func queue(_ gate: ConcurrencyGate, _ name: Int, _ log: EventLog<Int>) -> Task<Void, any Error> {
        Task.immediate {
            try await gate.enter()
            log.append(name)
        }
    }

    @Test("lets tasks in, in order of arrival")
    func order() async throws {
        let gate = ConcurrencyGate(limit: 1)
        let log = EventLog<Int>()
        try await gate.enter()
        let tasks = (0..<20).map { queue(gate, $0, log) }
        for count in 1...20 {
            #expect(log.events.count == count - 1)
            gate.leave()
            await log.when(count)
        }
        #expect(log.events == Array(0..<20))
        for task in tasks { try await task.value }
    }

    @Test("a waiter that is cancelled throws and costs no place")
    func cancellation() async throws {
        let gate = ConcurrencyGate(limit: 1)
        let log = EventLog<Int>()
        try await gate.enter()
        let tasks = (0..<3).map { queue(gate, $0, log) }
        tasks[1].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[1].value }
        gate.leave()
        try await tasks[0].value
        gate.leave()
        try await tasks[2].value
        #expect(log.events == [0, 2])
        gate.leave()
        try await gate.enter()
    }

    @Test("a body that throws gives its place back")
    func bodyThrows() async throws {
        struct Failure: Error {}
        let gate = ConcurrencyGate(limit: 1)
        await #expect(throws: Failure.self) { try await gate.withPlace { throw Failure() } }
        #expect(try await gate.withPlace { 1 } == 1)
    }

    @Test("never lets more in than its limit, whoever is cancelled", arguments: [1, 3, 16])
    func limit(limit: Int) async throws {
        let gate = ConcurrencyGate(limit: limit)
        let inside = NIOLockedValueBox((now: 0, most: 0, runs: 0))
        await withTaskGroup { group in
            for index in 0..<500 {
                let task = Task {
                    try await gate.withPlace {
                        inside.withLockedValue { inside in
                            inside.now += 1
                            inside.runs += 1
                            inside.most = max(inside.most, inside.now)
                        }
                        await Task.yield()
                        await Task.yield()
                        inside.withLockedValue { $0.now -= 1 }
                    }
                }
                if index % 5 == 0 { task.cancel() }
                group.addTask { _ = await task.result }
            }
        }
        let (now, most, runs) = inside.withLockedValue { $0 }
        #expect(now == 0)
        #expect(most <= limit)
        #expect(runs >= 400)
        // Every place came back.
        for _ in 0..<limit { try await gate.enter() }
    }
}
