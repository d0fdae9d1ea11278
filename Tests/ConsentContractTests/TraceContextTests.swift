import ConsentContract
import Testing

@Suite("Trace context", .timeLimit(.minutes(1)))
struct TraceContextTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func aStateGoesWithItsParentOnly() {
        #expect(TraceContext(traceparent: nil, tracestate: "a=b") == nil)
        #expect(TraceContext(traceparent: "anything", tracestate: "a=b") == nil)
        #expect(TraceContext(traceparent: Self.parent, tracestate: "a=b")?.tracestate == "a=b")
    }

    @Test(arguments: ["", "a=b\r\nAuthorization: x", "a=é", String(repeating: "x", count: 513)])
    func whatNoHeaderCanHoldIsNoState(state: String) {
        let context = TraceContext(traceparent: Self.parent, tracestate: state)
        #expect(context?.traceparent == Self.parent && context?.tracestate == nil)
    }
}
