package import Tracing

/// A span that has ended, as it waits to be exported.
package struct FinishedSpan: Sendable {
    package let context: SpanContext
    package let parent: SpanContext?
    package let kind: SpanKind
    package let start: UInt64
    package internal(set) var name: String
    package internal(set) var end: UInt64 = 0
    package internal(set) var attributes: SpanAttributes = [:]
    package internal(set) var events: [SpanEvent] = []
    package internal(set) var links: [SpanContext] = []
    package internal(set) var status: SpanStatus?
}
