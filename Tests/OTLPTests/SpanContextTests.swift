import Testing
import Tracing

@testable import OTLP

@Suite("Span contexts", .timeLimit(.minutes(1)))
struct SpanContextTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func traceparentIsReadAndWrittenAlike() throws {
        let context = try #require(SpanContext(traceparent: Self.parent, tracestate: "a=b"))
        #expect(context.traceparent == Self.parent)
        #expect(context.traceID.text == "0af7651916cd43dd8448eb211c80319c")
        #expect(context.isSampled && context.isRemote && context.tracestate == "a=b")
    }

    @Test func idsKeepTheirLeadingZeros() throws {
        let text = "00-0000000000000000000000000000000a-000000000000000b-00"
        let context = try #require(SpanContext(traceparent: text))
        #expect(context.traceparent == text && !context.isSampled)
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
    ])
    func whatIsNoTraceparentIsNotTakenForOne(text: String) {
        #expect(SpanContext(traceparent: text) == nil)
    }

    @Test func aChildKeepsTraceStateAndKnownFlags() throws {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff"
        let parent = try #require(SpanContext(traceparent: text, tracestate: "a=b"))
        let child = SpanContext(spanID: 0xC, below: parent)
        #expect(child.traceparent == "00-0af7651916cd43dd8448eb211c80319c-000000000000000c-03")
        #expect(child.tracestate == "a=b" && !child.isRemote)
    }
}
