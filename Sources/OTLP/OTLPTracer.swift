package import Tracing

/// Makes spans, and carries their contexts in the fields `traceparent` and `tracestate`.
///
/// A parent decides for its children whether they are recorded; without one a share of all traces is. Baggage is not
/// passed on: what others put there need not be meant for Microsoft.
package struct OTLPTracer: Tracer {
    private static let traceparent = "traceparent"
    private static let tracestate = "tracestate"

    let queue: SpanQueue
    private let sampleRatio: Double
    private let random: @Sendable () -> UInt64

    /// - Parameters:
    ///   - sampleRatio: of the traces that begin here, from 0 to 1.
    ///   - random: makes IDs.
    package init(
        _ queue: SpanQueue,
        sampleRatio: Double,
        random: @escaping @Sendable () -> UInt64 = { .random(in: 1 ... .max) }
    ) {
        self.queue = queue
        self.sampleRatio = sampleRatio
        self.random = random
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> InstrumentationContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> OTLPSpan {
        var context = context()
        let parent = context.span
        let own = parent.map { SpanContext(spanID: random(), below: $0) } ?? root()
        context.span = own
        guard own.isSampled else { return OTLPSpan(context, nil) }
        let span = FinishedSpan(
            context: own,
            parent: parent,
            kind: kind,
            start: instant().nanosecondsSinceEpoch,
            name: operationName
        )
        return OTLPSpan(context, OTLPSpan.Recording(span, queue))
    }

    /// The trace's ID decides, so that all who go by it decide alike.
    private func root() -> SpanContext {
        let traceID = SpanContext.TraceID(high: random(), low: random())
        let isSampled = Double(traceID.low >> 11) < sampleRatio * 0x1p53
        return SpanContext(traceID: traceID, spanID: random(), isSampled: isSampled)
    }

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout InstrumentationContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let traceparent = extractor.extract(key: Self.traceparent, from: carrier) else { return }
        let tracestate = extractor.extract(key: Self.tracestate, from: carrier)
        context.span = SpanContext(traceparent: traceparent, tracestate: tracestate)
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let span = context.span else { return }
        injector.inject(span.traceparent, forKey: Self.traceparent, into: &carrier)
        if let tracestate = span.tracestate { injector.inject(tracestate, forKey: Self.tracestate, into: &carrier) }
    }

    /// Has what waits exported without more delay.
    package func forceFlush() { queue.ring() }
}
