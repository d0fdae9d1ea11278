package import Tracing

/// Where a span belongs, as W3C Trace Context writes it.
package struct SpanContext: Sendable, Hashable {
    package struct TraceID: Sendable, Hashable {
        let high: UInt64
        let low: UInt64

        /// 32 hexadecimal digits.
        package var text: String { high.digits + low.digits }
    }

    private static let sampled: UInt8 = 0x01
    /// Those of level 2; what else there may be is not ours to pass on.
    private static let knownFlags: UInt8 = 0x03

    package let traceID: TraceID
    package let spanID: UInt64
    package let flags: UInt8
    package let tracestate: String?
    /// Came with a message from another process.
    package var isRemote = false

    package var isSampled: Bool { flags & Self.sampled != 0 }

    /// The first span of a trace.
    init(traceID: TraceID, spanID: UInt64, isSampled: Bool) {
        self.traceID = traceID
        self.spanID = spanID
        flags = isSampled ? Self.sampled : 0
        tracestate = nil
    }

    /// A span below `parent`.
    init(spanID: UInt64, below parent: SpanContext) {
        traceID = parent.traceID
        self.spanID = spanID
        flags = parent.flags
        tracestate = parent.tracestate
    }

    /// Nil for what is no valid `traceparent`: such a trace is begun anew.
    package init?(traceparent: String, tracestate: String? = nil) {
        let fields = traceparent.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard fields.count == 4, fields.map(\.count) == [2, 32, 16, 2],
            let version = UInt64(digits: fields[0]), version != 0xFF,
            let high = UInt64(digits: fields[1].prefix(16)), let low = UInt64(digits: fields[1].dropFirst(16)),
            high != 0 || low != 0,
            let spanID = UInt64(digits: fields[2]), spanID != 0,
            let flags = UInt64(digits: fields[3])
        else { return nil }
        traceID = TraceID(high: high, low: low)
        self.spanID = spanID
        self.flags = UInt8(flags) & Self.knownFlags
        self.tracestate = tracestate
        isRemote = true
    }

    package var traceparent: String {
        "00-\(traceID.text)-\(spanID.digits)-\(UInt64(flags).digits.suffix(2))"
    }
}

extension InstrumentationContext {
    private enum SpanKey: InstrumentationContextKey {
        typealias Value = SpanContext
    }

    package var span: SpanContext? {
        get { self[SpanKey.self] }
        set { self[SpanKey.self] = newValue }
    }
}

extension UInt64 {
    /// 16 lower-case hexadecimal digits.
    var digits: String {
        let text = String(self, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// Lower-case hexadecimal digits, which is all that a `traceparent` may have.
    fileprivate init?(digits: some Sequence<UInt8>) {
        var value: UInt64 = 0
        for byte in digits {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        self = value
    }
}
