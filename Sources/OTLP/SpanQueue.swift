import Metrics
import NIOConcurrencyHelpers
import Resilience

/// The spans that wait to be exported. Takes any number at any time and holds so many: more are dropped, and counted.
package final class SpanQueue: Sendable {
    private struct State {
        var spans: [FinishedSpan] = []
        var isFlushing = false
        var dropped = 0
    }

    private let capacity: Int
    private let batchSize: Int
    private let state = NIOLockedValueBox(State())
    private let bell = Bell()
    private let overflow = Counter(label: "consent_spans_dropped_total", dimensions: [("reason", "queueFull")])

    package init(capacity: Int = 8192, batchSize: Int = 512) {
        precondition(0 < batchSize && batchSize <= capacity, "a batch that the queue cannot hold")
        self.capacity = capacity
        self.batchSize = batchSize
    }

    package var count: Int { state.withLockedValue { $0.spans.count } }

    /// How many there was no room for, since this was last asked.
    func takeDropped() -> Int {
        state.withLockedValue { state in
            defer { state.dropped = 0 }
            return state.dropped
        }
    }

    package func offer(_ span: FinishedSpan) {
        let count = state.withLockedValue { state -> Int? in
            guard state.spans.count < capacity else {
                state.dropped += 1
                return nil
            }
            state.spans.append(span)
            return state.spans.count
        }
        switch count {
        case nil: overflow.increment()
        case 1, batchSize: bell.ring()
        default: break
        }
    }

    /// The oldest, at most a batch.
    func take() -> [FinishedSpan] {
        state.withLockedValue { state in
            let batch = Array(state.spans.prefix(batchSize))
            state.spans.removeFirst(batch.count)
            state.isFlushing = state.isFlushing && !state.spans.isEmpty
            return batch
        }
    }

    /// Ends the wait for a batch.
    func ring() {
        state.withLockedValue { $0.isFlushing = true }
        bell.ring()
    }

    /// Returns when a batch is full, `patience` after there was a first span, or when somebody rings.
    func waitForBatch(patience: Duration, clock: any MonotonicClock) async throws(CancellationError) {
        try await wait(until: nil, clock) { $0.isFlushing || !$0.spans.isEmpty }
        try await wait(until: clock.now + patience, clock) { $0.isFlushing || $0.spans.count >= batchSize }
    }

    private func wait(
        until instant: ContinuousClock.Instant?,
        _ clock: any MonotonicClock,
        for isReady: (State) -> Bool
    ) async throws(CancellationError) {
        let stroke = bell.arm()
        guard !state.withLockedValue({ isReady($0) }) else { return }
        try await Bell.wait(for: stroke, until: instant, clock: clock)
    }
}
