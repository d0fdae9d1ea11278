import ConsentContract
import HTTP
import MicrosoftAPI
import Testing

@Suite("Classification", .timeLimit(.minutes(1)))
struct ClassificationTests {
    /// A verdict in a word, for tables.
    enum Word: Sendable, Equatable {
        case did(Effect)
        case failed(ErrorCategory)
        case retry(ErrorCategory, unknown: Bool)
        case throttled, unauthorized, misconfigured

        init(_ verdict: Verdict) {
            switch verdict {
            case .succeeded(let effect): self = .did(effect)
            case .failed(let error): self = .failed(error.category)
            case .transient(let error, let unknown, _): self = .retry(error.category, unknown: unknown)
            case .throttled(let error, _): self = error.category == .throttled ? .throttled : .misconfigured
            case .unauthorized(let error): self = error.category == .unauthorized ? .unauthorized : .misconfigured
            case .misconfigured: self = .misconfigured
            }
        }
    }

    private static let exists =
        #"{"code":400,"description":"Permission entry already exists.","data":[],"source":"PartnerFD"}"#
    private static let privileges =
        #"{"odata.error":{"code":"Request_BadRequest","message":{"lang":"en","value":"Insufficient privileges to complete."}}}"#
    private static let principal =
        #"{"code":600,"description":"The tenant lacks a service principal for the resource.","source":"PartnerFD"}"#
    private static let mfa = #"{"code":900421,"description":"MFA required"}"#

    private func word(_ kind: CommandKind, _ status: Int, _ body: String) -> Word {
        let api = kind == .query ? API.graph : .partnerCenter
        let response = HTTPResponse(status: status, body: Array(body.utf8))
        return Word(Classification(kind, api: api).verdict(on: response, now: Timestamp(milliseconds: 0)))
    }

    @Test(
        "reads every answer as the table says",
        arguments: [
            (200, "", .did(.granted), .did(.revoked), .did(.read)),
            (201, "not JSON", .did(.granted), .did(.revoked), .did(.read)),
            (204, "", .did(.granted), .did(.revoked), .did(.read)),
            (409, "", .did(.alreadyGranted), .failed(.conflict), .failed(.conflict)),
            (409, exists, .did(.alreadyGranted), .failed(.conflict), .failed(.conflict)),
            (400, exists, .did(.alreadyGranted), .failed(.invalidRequest), .failed(.invalidRequest)),
            (404, "", .failed(.customerNotFound), .did(.alreadyRevoked), .failed(.notFound)),
            (401, "", .unauthorized, .unauthorized, .unauthorized),
            (
                401, mfa, .failed(.partnerReauthorizationRequired), .failed(.partnerReauthorizationRequired),
                .failed(.partnerReauthorizationRequired)
            ),
            (
                403, "", .failed(.insufficientPrivileges), .failed(.insufficientPrivileges),
                .failed(.insufficientPrivileges)
            ),
            (
                400, privileges, .failed(.insufficientPrivileges), .failed(.insufficientPrivileges),
                .failed(.insufficientPrivileges)
            ),
            (
                400, principal, .failed(.resourceNotProvisioned), .failed(.resourceNotProvisioned),
                .failed(.resourceNotProvisioned)
            ),
            (400, "", .failed(.invalidRequest), .failed(.invalidRequest), .failed(.invalidRequest)),
            (429, "", .throttled, .throttled, .throttled),
        ] as [(Int, String, Word, Word, Word)]
    )
    func table(status: Int, body: String, grant: Word, revoke: Word, query: Word) {
        #expect(word(.grant, status, body) == grant)
        #expect(word(.revoke, status, body) == revoke)
        #expect(word(.query, status, body) == query)
    }

    @Test(
        "refusals and surprises are the same for all commands",
        arguments: [
            (405, ErrorCategory.invalidRequest), (410, .invalidRequest), (415, .invalidRequest), (422, .invalidRequest),
            (301, .unexpectedStatus), (302, .unexpectedStatus), (304, .unexpectedStatus), (307, .unexpectedStatus),
            (402, .unexpectedStatus), (406, .unexpectedStatus), (418, .unexpectedStatus), (501, .unexpectedStatus),
            (505, .unexpectedStatus), (509, .unexpectedStatus), (100, .unexpectedStatus), (0, .unexpectedStatus),
        ]
    )
    func others(status: Int, category: ErrorCategory) {
        for kind in CommandKind.allCases { #expect(word(kind, status, "") == .failed(category)) }
    }

    @Test("an outage is retried, and may hide that a write took effect", arguments: [408, 500, 502, 503, 504])
    func outages(status: Int) {
        #expect(word(.grant, status, "<html>") == .retry(.apiUnavailable, unknown: true))
        #expect(word(.revoke, status, "") == .retry(.apiUnavailable, unknown: true))
        #expect(word(.query, status, "") == .retry(.apiUnavailable, unknown: false))
    }

    @Test(
        "a missing answer is retried, its outcome unknown only where a write was sent",
        arguments: [
            (HTTPError.Code.timedOut, ErrorCategory.requestTimedOut), (.connectionFailed, .connectionFailed),
            (.connectionLost, .connectionFailed), (.cancelled, .connectionFailed), (.sendRefused, .connectionFailed),
            (.malformedResponse, .malformedResponse), (.tlsVerificationFailed, .tlsVerificationFailed),
        ]
    )
    func noAnswer(code: HTTPError.Code, category: ErrorCategory) {
        func word(_ kind: CommandKind, sent: Bool) -> Word {
            let error = HTTPError(code, "https://host: text", wasSent: sent)
            return Word(Classification(kind, api: .partnerCenter).verdict(on: error))
        }
        #expect(word(.grant, sent: true) == .retry(category, unknown: true))
        #expect(word(.revoke, sent: true) == .retry(category, unknown: true))
        #expect(word(.query, sent: true) == .retry(category, unknown: false))
        #expect(word(.grant, sent: false) == .retry(category, unknown: false))
    }

    @Test(
        "what would only happen again is not retried",
        arguments: [
            (HTTPError.Code.responseTooLarge, ErrorCategory.responseTooLarge), (.invalidRequest, .internalError),
        ]
    )
    func hopeless(code: HTTPError.Code, category: ErrorCategory) {
        let verdict = Classification(.query, api: .graph).verdict(on: HTTPError(code, "", wasSent: true))
        #expect(Word(verdict) == .failed(category))
    }

    @Test("an answer too large to be read may hide that a write took effect", arguments: [CommandKind.grant, .revoke])
    func tooLargeAnAnswer(kind: CommandKind) {
        let failure = HTTPError(.responseTooLarge, "", wasSent: true)
        let verdict = Classification(kind, api: .partnerCenter).verdict(on: failure)
        #expect(Word(verdict) == .retry(.responseTooLarge, unknown: true))
    }

    private func error(_ body: [UInt8], status: Int = 400) -> CommandError? {
        let response = HTTPResponse(status: status, body: body)
        guard
            case .failed(let error) = Classification(.query, api: .graph).verdict(
                on: response,
                now: .init(milliseconds: 0)
            )
        else { return nil }
        return error
    }

    @Test(
        "finds code and words in every shape of error body",
        arguments: [
            (#"{"code":2032,"description":"Access denied.","data":[],"source":"PartnerFD"}"#, "2032", "Access denied."),
            (#"{"code":"2032","description":"d"}"#, "2032", "d"),
            (
                #"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 57 seconds."}"#, "429",
                "Rate limit is exceeded. Try again in 57 seconds."
            ),
            (
                #"{"error":{"code":"Authorization_RequestDenied","message":"m","innerError":{"code":"x"}}}"#,
                "Authorization_RequestDenied", "m"
            ),
            (
                #"{"error":"invalid_grant","error_description":"AADSTS65001: no","error_codes":[65001]}"#,
                "invalid_grant",
                "AADSTS65001: no"
            ),
            (#"{"odata.error":{"code":"c","message":{"lang":"en","value":"v"}}}"#, "c", "v"),
            (#"{"odata.error":{"code":"c","message":"v"}}"#, "c", "v"), ("<html>502</html>", nil, "<html>502</html>"),
            ("[1]", nil, "[1]"), ("{\"code\":", nil, "{\"code\":"), ("", nil, nil), ("{}", nil, nil),
            (#"{"code":null,"description":5}"#, nil, nil), (#"{"error":{}}"#, nil, nil), (#"{"error":[]}"#, nil, nil),
        ] as [(String, String?, String?)]
    )
    func bodies(body: String, code: String?, description: String?) {
        let error = error(Array(body.utf8))
        #expect(error?.code == code)
        #expect(error?.description == description)
        #expect(error?.source == .graph)
        #expect(error?.status == 400)
    }

    @Test("cuts what an error body says, and survives what is no text")
    func hostileBodies() {
        let long = error(Array(#"{"code":1,"description":"\#(String(repeating: "é", count: 5000))"}"#.utf8))
        #expect(long?.description?.count == 1024)
        let text = error([UInt8](repeating: UInt8(ascii: "x"), count: 100_000))
        #expect(text?.description?.count == 1024)
        // One character of very many scalars is one character, and yet long.
        let accents = error(Array(("a" + String(repeating: "\u{301}", count: 100_000)).utf8))
        #expect((accents?.description?.utf8.count ?? 0) <= 8192)
        let embedded = error(
            Array((#"{"code":1,"description":"a"# + String(repeating: #"\u0301"#, count: 100_000) + #""}"#).utf8)
        )
        #expect((embedded?.description?.utf8.count ?? 0) <= 8192)
        #expect(error([0xFF, 0xFE, 0x00]) != nil)
        #expect(error(Array(String(repeating: "[", count: 100_000).utf8))?.code == nil)
    }

    @Test("hands Retry-After on")
    func retryAfter() {
        func wait(_ status: Int, _ value: String?) -> Duration? {
            let headers = value.map { [HTTPHeader("retry-after", $0)] } ?? []
            let response = HTTPResponse(status: status, headers: headers)
            switch Classification(.grant, api: .partnerCenter).verdict(on: response, now: Timestamp(milliseconds: 0)) {
            case .throttled(_, let wait), .transient(_, _, let wait): return wait
            default: return nil
            }
        }
        #expect(wait(429, "57") == .seconds(57))
        #expect(wait(503, "Thu, 01 Jan 1970 00:01:00 GMT") == .seconds(60))
        #expect(wait(429, nil) == nil)
        #expect(wait(429, "soon") == nil)
    }
}

@Suite("Retry-After", .timeLimit(.minutes(1)))
struct RetryAfterTests {
    private let now = Timestamp("1994-11-06T08:49:37Z") ?? Timestamp(milliseconds: 0)

    @Test(
        "reads seconds and dates",
        arguments: [
            ("0", 0), ("57", 57), ("315", 315), ("86400", 86_400), ("86401", 86_400), ("99999999999", 86_400),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
            ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
            ("Mon, 07 Nov 1994 08:49:37 GMT", 86_400), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ]
    )
    func forms(value: String, seconds: Int) {
        #expect(RetryAfter.parse(value, now: now) == .seconds(seconds))
    }

    @Test(
        "refuses what is neither",
        arguments: [
            "", "-1", "1.5", "soon", "5 s", "99999999999999999999", "Sun, 06 Nov 1994 08:49:37",
            "06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z",
        ]
    )
    func refused(value: String) {
        #expect(RetryAfter.parse(value, now: now) == nil)
    }
}
