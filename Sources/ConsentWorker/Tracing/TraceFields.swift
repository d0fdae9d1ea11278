import ConsentContract
import Tracing

/// Reads and writes the fields of a trace context by their names.
struct TraceFields: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }

    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}

extension TraceContext {
    var fields: [String: String] {
        var fields = ["traceparent": traceparent]
        fields["tracestate"] = tracestate
        return fields
    }

    /// As the tracer writes a span's context.
    init?(_ context: InstrumentationContext, _ tracer: any Tracer) {
        var fields: [String: String] = [:]
        tracer.inject(context, into: &fields, using: TraceFields())
        self.init(traceparent: fields["traceparent"], tracestate: fields["tracestate"])
    }
}
