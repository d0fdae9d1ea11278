import HTTP
import Testing

@Suite("HTTP response", .timeLimit(.minutes(1)))
struct HTTPResponseTests {
    private func response(_ headers: (String, String)...) -> HTTPResponse {
        HTTPResponse(status: 200, headers: headers.map { HTTPHeader($0, $1) })
    }

    @Test("finds a field by its name in any case")
    func name() {
        let response = response(("Retry-After", " 5\r\n"), ("X", " \r\n"), ("MS-RequestId", "a b\r\n"))
        #expect(response[header: "retry-after"] == "5")
        #expect(response[header: "RETRY-AFTER"] == "5")
        #expect(response[header: "ms-requestid"] == "a b")
        #expect(response[header: "x"] == "")
        #expect(response[header: "Retry-Afte"] == nil)
        #expect(response[header: "Retry_After"] == nil)
        #expect(response[header: "ms-requestid:a b"] == nil)
    }

    @Test("takes the first field of a name, without blanks around name and value")
    func first() {
        let response = response(("a", "\t 1:2 \t\r\n"), ("b ", "3"), ("A", "4\n"), ("", "5\r\n"), ("c", "é\u{0}\r\n"))
        #expect(response[header: "A"] == "1:2")
        #expect(response[header: "b"] == "3")
        #expect(response[header: "c"] == "é\u{0}")
        #expect(response[header: ""] == "5")
    }

    @Test("an answer without fields has none")
    func none() {
        #expect(HTTPResponse(status: 204)[header: "a"] == nil)
    }
}
