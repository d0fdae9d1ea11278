import NIOConcurrencyHelpers
package import Tracing

/// A span on its way; one that is not sampled carries its context and records nothing.
package struct OTLPSpan: Span {
    /// What is recorded, until the span ends.
    final class Recording: Sendable {
        let span: NIOLockedValueBox<FinishedSpan>
        private let hasEnded = NIOLockedValueBox(false)
        private let queue: SpanQueue

        init(_ span: FinishedSpan, _ queue: SpanQueue) {
            self.span = NIOLockedValueBox(span)
            self.queue = queue
        }

        /// The first end counts.
        func end(at time: UInt64) {
            let isFirst = hasEnded.withLockedValue { hasEnded in
                defer { hasEnded = true }
                return !hasEnded
            }
            guard isFirst else { return }
            queue.offer(
                span.withLockedValue { span in
                    span.end = max(span.start, time)
                    return span
                }
            )
        }
    }

    package let context: InstrumentationContext
    private let recording: Recording?

    init(_ context: InstrumentationContext, _ recording: Recording?) {
        self.context = context
        self.recording = recording
    }

    package var isRecording: Bool { recording != nil }

    package var operationName: String {
        get { recording?.span.withLockedValue { $0.name } ?? "" }
        nonmutating set { change { $0.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { recording?.span.withLockedValue { $0.attributes } ?? [:] }
        nonmutating set { change { $0.attributes = newValue } }
    }

    package func setStatus(_ status: SpanStatus) { change { $0.status = status } }

    package func addEvent(_ event: SpanEvent) { change { $0.events.append(event) } }

    package func addLink(_ link: SpanLink) {
        guard let context = link.context.span else { return }
        change { $0.links.append(context) }
    }

    package func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        guard isRecording else { return }
        var all: SpanAttributes = [
            "exception.type": .string(String(reflecting: type(of: error))), "exception.message": .string("\(error)"),
        ]
        all.merge(attributes)
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: all))
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        recording?.end(at: instant().nanosecondsSinceEpoch)
    }

    private func change(_ change: (inout FinishedSpan) -> Void) {
        recording?.span.withLockedValue { change(&$0) }
    }
}
