import FoundationEssentials
import Testing

@testable import partner_center_simulator

@Suite struct FaultCodingTests {
    @Test(arguments: [
        (#"{"latency": {"ms": 5}}"#, FaultAction.latency(milliseconds: 5)),
        (#"{"hang": {}}"#, .hang(milliseconds: nil)),
        (#"{"hang": {"ms": 5}}"#, .hang(milliseconds: 5)),
        (#"{"throttle": {"retryAfter": "5"}}"#, .throttle(retryAfter: "5")),
        (#"{"throttle": {"retryAfter": 5}}"#, .throttle(retryAfter: "5")),
        (#"{"throttle": {}}"#, .throttle(retryAfter: nil)),
        (#"{"huge": {"bytes": 9}}"#, .huge(bytes: 9)),
        (#"{"refusal": "mfaRequired"}"#, .refusal(.mfaRequired)),
        (#"{"status": {"status": 502, "body": "x"}}"#, .status(.init(status: 502, body: "x"))),
        (#"{"reset": {}}"#, .reset), (#"{"malformed": {}}"#, .malformed), (#"{"truncate": {}}"#, .truncate),
        (#"{"expireTokens": {}}"#, .expireTokens),
    ])
    func `an action is read, and what is written is read as the same`(text: String, action: FaultAction) throws {
        #expect(try JSONText.decode(FaultAction.self, from: text.utf8) == action)
        #expect(try JSONText.decode(FaultAction.self, from: JSONText.encode(action)) == action)
    }

    @Test(arguments: [
        (#"{"action": {"lateny": {"ms": 5}}}"#, "lateny"),
        (#"{"action": {"latency": {"sec": 5}}}"#, "sec"),
        (#"{"action": {"reset": {"hard": true}}}"#, "{}"),
        (#"{"action": {"reset": {}, "malformed": {}}}"#, "exactly one"),
        (#"{"action": {}}"#, "exactly one"),
        (#"{"action": {"reset": {}}, "tims": 1}"#, "tims"),
        (#"{"action": {"reset": {}}, "match": {"knd": "grant"}}"#, "knd"),
        (#"{"action": {"reset": {}}, "match": {"customer": "x"}}"#, "GUID"),
        (#"{"action": {"reset": {}}, "probability": 2}"#, "probability"),
        (#"{"action": {"status": {"status": 42}}}"#, "status"),
        (#"{"action": {"status": {"status": 500, "headers": {"a b": "c"}}}}"#, "header name"),
    ])
    func `a mistake is named`(text: String, word: String) {
        let error = #expect(throws: DecodingError.self) { try JSONText.decode(Fault.self, from: text.utf8) }
        #expect(error.map { JSONText.explain($0).contains(word) } == true)
    }

    @Test(arguments: Refusal.allCases)
    func `every refusal is a client error with a JSON body`(refusal: Refusal) {
        #expect((400..<500).contains(refusal.answer.status))
        #expect(refusal.answer.json != nil)
    }
}
