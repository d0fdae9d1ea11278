/// W3C Trace Context, as messages and requests carry it.
package struct TraceContext: Sendable, Hashable {
    private static let maximumStateBytes = 512

    package let traceparent: String
    package let tracestate: String?

    /// Nil without a `traceparent` of the form of version 00. Both go into headers of API requests, so nothing else
    /// does; a `tracestate` that could not is left out.
    package init?(traceparent: String?, tracestate: String?) {
        guard let traceparent, Self.isTraceparent(traceparent) else { return nil }
        self.traceparent = traceparent
        self.tracestate = tracestate.flatMap { Self.isTracestate($0) ? $0 : nil }
    }

    private static func isTraceparent(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [2, 32, 16, 2]
            && parts.allSatisfy { $0.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) } }
    }

    private static func isTracestate(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= maximumStateBytes && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}
