import NIOConcurrencyHelpers
import Testing
import Tracing

@testable import OTLP

private typealias Instant = DefaultTracerClock.Timestamp

private struct Fields: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}

@Suite("OTLP tracer", .timeLimit(.minutes(1)))
struct OTLPTracerTests {
    private let queue = SpanQueue()

    /// Counts up from `first`: the trace ID takes two numbers, the span ID the next.
    private func tracer(ratio: Double = 1, first: UInt64 = 1) -> OTLPTracer {
        let next = NIOLockedValueBox(first)
        return OTLPTracer(queue, sampleRatio: ratio) {
            next.withLockedValue { next in
                defer { next &+= 1 }
                return next
            }
        }
    }

    private func context(_ fields: [String: String], _ tracer: OTLPTracer) -> InstrumentationContext {
        var context = InstrumentationContext.topLevel
        tracer.extract(fields, into: &context, using: Fields())
        return context
    }

    @Test func aSpanBelongsToItsParentsTrace() throws {
        let tracer = tracer()
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let context = context(["traceparent": parent, "tracestate": "a=b"], tracer)
        let span = tracer.startSpan("x", context: context, ofKind: .client, at: Instant(nanosecondsSinceEpoch: 5))
        span.end(at: Instant(nanosecondsSinceEpoch: 9))

        let finished = try #require(queue.take().first)
        #expect(finished.parent?.traceparent == parent)
        #expect(finished.context.traceparent == "00-0af7651916cd43dd8448eb211c80319c-0000000000000001-01")
        #expect(finished.name == "x" && finished.kind == .client && finished.start == 5 && finished.end == 9)
        var fields: [String: String] = [:]
        tracer.inject(span.context, into: &fields, using: Fields())
        #expect(fields == ["traceparent": finished.context.traceparent, "tracestate": "a=b"])
    }

    @Test func theParentDecidesWhetherAnythingIsRecorded() {
        let unsampled = ["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"]
        let sampled = ["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
        for (fields, ratio, isRecorded) in [(unsampled, 1.0, false), (sampled, 0.0, true)] {
            let tracer = tracer(ratio: ratio)
            let span = tracer.startSpan("x", context: context(fields, tracer))
            let child = tracer.startSpan("y", context: span.context)
            #expect(span.isRecording == isRecorded && child.isRecording == isRecorded)
            span.end()
            child.end()
            #expect(queue.take().count == (isRecorded ? 2 : 0))
            // Those behind go by it too, and see another span all the same.
            #expect(child.context.span?.isSampled == isRecorded)
            #expect(child.context.span?.spanID != span.context.span?.spanID)
        }
    }

    @Test func withoutAParentTheTracesIDDecidesByTheRatio() {
        let quarter: UInt64 = 1 << 62
        // The second number drawn is the lower half of the trace's ID.
        for (low, ratio, isSampled) in [
            (1, 0.0, false), (UInt64.max, 1.0, true), (quarter - 4096, 0.25, true), (quarter, 0.25, false),
        ] {
            let span = tracer(ratio: ratio, first: low - 1).startSpan("x", context: .topLevel)
            #expect(span.isRecording == isSampled, "\(low) at \(ratio)")
        }
    }

    @Test func aSpanEndsOnceAndNotBeforeItsStart() {
        let span = tracer().startSpan("x", context: .topLevel, at: Instant(nanosecondsSinceEpoch: 5))
        span.end(at: Instant(nanosecondsSinceEpoch: 4))
        span.end(at: Instant(nanosecondsSinceEpoch: 7))
        #expect(queue.take().map(\.end) == [5])
    }

    @Test func baggageIsNotPassedOn() {
        let tracer = tracer()
        let context = context(["baggage": "key=value"], tracer)
        var fields: [String: String] = [:]
        tracer.inject(tracer.startSpan("x", context: context).context, into: &fields, using: Fields())
        #expect(Array(fields.keys) == ["traceparent"])
    }
}
