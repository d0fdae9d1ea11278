import TestSupport
import Testing

@testable import OTLP

@Suite("Span queue", .timeLimit(.minutes(1)))
struct SpanQueueTests {
    private let clock = ManualClock()

    @Test func whatThereIsNoRoomForIsDroppedAndCounted() {
        let queue = SpanQueue(capacity: 3, batchSize: 2)
        for number in 1...5 { queue.offer(.numbered(UInt64(number))) }
        #expect(queue.count == 3 && queue.takeDropped() == 2 && queue.takeDropped() == 0)
        #expect(queue.take().map(\.context.spanID) == [1, 2])
        queue.offer(.numbered(6))
        #expect(queue.take().map(\.context.spanID) == [3, 6])
        #expect(queue.take().isEmpty && queue.takeDropped() == 0)
    }

    @Test func aBatchWaitsForOthersAsLongAsPatienceLasts() async throws {
        let queue = SpanQueue(capacity: 10, batchSize: 3)
        let clock = clock
        let wait = Task { try await queue.waitForBatch(patience: .seconds(1), clock: clock) }
        queue.offer(.numbered(1))
        await clock.whenSleeping()
        queue.offer(.numbered(2))
        #expect(clock.sleepers == 1)
        clock.advance(by: .seconds(1))
        try await wait.value
        #expect(queue.take().count == 2)
    }

    @Test func aFullBatchWaitsForNothing() async throws {
        let queue = SpanQueue(capacity: 10, batchSize: 3)
        let clock = clock
        queue.offer(.numbered(1))
        let wait = Task { try await queue.waitForBatch(patience: .seconds(1), clock: clock) }
        await clock.whenSleeping()
        queue.offer(.numbered(2))
        queue.offer(.numbered(3))
        try await wait.value
        try await queue.waitForBatch(patience: .seconds(1), clock: clock)
        #expect(queue.take().count == 3)
    }

    @Test func ringingEndsTheWaitEvenOfAnEmptyQueue() async throws {
        let queue = SpanQueue()
        queue.ring()
        try await queue.waitForBatch(patience: .seconds(1), clock: clock)
        #expect(queue.take().isEmpty)
    }
}
