import Tracing

@testable import OTLP

extension FinishedSpan {
    /// A span that tells itself by its ID.
    static func numbered(_ number: UInt64) -> FinishedSpan {
        let context = SpanContext(traceID: .init(high: 1, low: 2), spanID: number, isSampled: true)
        var span = FinishedSpan(context: context, parent: nil, kind: .internal, start: 10, name: "span")
        span.end = 20
        return span
    }
}
