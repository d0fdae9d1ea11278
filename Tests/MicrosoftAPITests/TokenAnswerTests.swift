import ConsentContract
import HTTP
import MicrosoftAPI
import Secrets
import Testing

@Suite("Token answers", .timeLimit(.minutes(1)))
struct TokenAnswerTests {
    private func answer(_ body: String, status: Int = 200) throws -> TokenAnswer {
        let response = HTTPResponse(status: status, body: Array(body.utf8))
        return try TokenAnswer(response, atPartner: true, now: Timestamp(milliseconds: 0))
    }

    @Test(
        "lifetimes are numbers or texts, and no longer than a day",
        arguments: [
            ("3599", 3599), (#""3599""#, 3599), ("0", 0), ("-5", 0), ("9223372036854775807", 86_400),
            (#""soon""#, 3600),
            ("1e9", 3600), ("null", 3600),
        ]
    )
    func lifetime(expiresIn: String, seconds: Int) throws {
        let answer = try answer(#"{"access_token":"a.b-c","expires_in":\#(expiresIn)}"#)
        #expect(answer.accessToken == Secret("a.b-c"))
        #expect(answer.refreshToken == nil)
        #expect(answer.lifetime == .seconds(seconds))
    }

    @Test(
        "a token that would not stay within its header is none",
        arguments: ["", #"a\r\nms-requestid: x"#, #"a b"#, #"a\u0000b"#, "é", #"a\t"#]
    )
    func malformed(token: String) throws {
        let failure = #expect(throws: TokenFailure.self) { try answer(#"{"access_token":"\#(token)"}"#) }
        #expect(failure?.error?.category == .malformedResponse)
    }

    @Test("an empty error is none: nothing is held against the partner")
    func empty() throws {
        let failure = #expect(throws: TokenFailure.self) {
            try answer(#"{"error":"","error_description":""}"#, status: 401)
        }
        #expect(failure?.error?.category == .identityUnavailable)
        #expect(failure?.error?.code == nil && failure?.error?.description == nil)
    }

    @Test("Microsoft's words are cut, its code too")
    func cut() throws {
        let long = String(repeating: "x", count: 100_000)
        let body = #"{"error":"\#(long)","error_description":"\#(long)"}"#
        let failure = #expect(throws: TokenFailure.self) { try answer(body, status: 400) }
        #expect(failure?.error?.code?.unicodeScalars.count == 1024)
        #expect(failure?.error?.description?.unicodeScalars.count == 1024)
    }
}
