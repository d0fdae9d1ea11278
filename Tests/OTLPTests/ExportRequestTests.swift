import JSON
import Testing
import Tracing

@testable import OTLP

@Suite("OTLP export request", .timeLimit(.minutes(1)))
struct ExportRequestTests {
    private func text(_ span: FinishedSpan) -> String {
        let request = ExportRequest(resource: ["service.name": "w"], scope: (name: "s", version: "1"), spans: [span])
        return String(decoding: request.bytes, as: UTF8.self)
    }

    @Test func aSpanIsWrittenAsOTLPHasItInJSON() throws {
        let parent = try #require(
            SpanContext(
                traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                tracestate: "a=b"
            )
        )
        var span = FinishedSpan(
            context: SpanContext(spanID: 0xAB, below: parent),
            parent: parent,
            kind: .consumer,
            start: 1_700_000_000_000_000_001,
            name: "process \"x\""
        )
        span.end = 1_700_000_000_000_000_002
        span.attributes = [
            "number": 9_007_199_254_740_993, "flag": true, "text": "é", "half": 0.5, "list": .stringArray(["a"]),
        ]
        span.events = [
            SpanEvent(name: "e", at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 7), attributes: ["k": "v"])
        ]
        span.links = [parent]
        span.status = SpanStatus(code: .error, message: "no")
        #expect(
            text(span)
                == """
                {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"w"}}]},\
                "scopeSpans":[{"scope":{"name":"s","version":"1"},"spans":[{\
                "traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00000000000000ab","traceState":"a=b",\
                "parentSpanId":"b7ad6b7169203331","flags":769,"name":"process \\"x\\"","kind":5,\
                "startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000000000002",\
                "attributes":[{"key":"flag","value":{"boolValue":true}},{"key":"half","value":{"doubleValue":0.5}},\
                {"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"}]}}},\
                {"key":"number","value":{"intValue":"9007199254740993"}},{"key":"text","value":{"stringValue":"é"}}],\
                "events":[{"timeUnixNano":"7","name":"e","attributes":[{"key":"k","value":{"stringValue":"v"}}]}],\
                "links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",\
                "traceState":"a=b","flags":769}],\
                "status":{"message":"no","code":2}}]}]}]}
                """
        )
    }

    @Test func whatThereIsNotIsLeftOut() {
        let json = text(.numbered(1))
        for absent in ["parentSpanId", "traceState", "attributes\":[]", "events", "links", "status"] {
            #expect(!json.contains(absent))
        }
        #expect(json.contains("\"flags\":257"))
    }

    @Test func numbersThatJSONHasNotAreTexts() {
        var span = FinishedSpan.numbered(1)
        span.attributes = ["a": .double(.nan), "b": .double(-.infinity)]
        #expect(text(span).contains(#"{"doubleValue":"NaN"}"#) && text(span).contains(#"{"doubleValue":"-Infinity"}"#))
    }
}
