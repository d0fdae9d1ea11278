import ConsentContract
import HTTP
import MicrosoftAPI
import Resilience
import Secrets

extension FuzzInput {
    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    private static let answerWords = [
        "code", "description", "error", "message", "statusCode", "odata.error", "value", "error_description",
        "error_codes", "Permission entry already exists", "900421", "insufficient privileges", "service principal",
        "licen", "access_token", "refresh_token", "expires_in", "invalid_grant", "invalid_client", "65001", "53003",
        "700082", "50020", "90002", "temporarily_unavailable", "200", "400", "401", "403", "404", "408", "409", "429",
        "500", "503", "600", "Retry-After", "Retry-After: 5\n", "Sun, 06 Nov 1994 08:49:37 GMT", "{", "}", "[", "]",
        ":",
    ]

    /// An API's answer to a command's request, whatever its status.
    static let answer = FuzzInput(
        "answer",
        TextMutation(answerWords),
        examples: {
            [
                Examples.answer(400, #"{"code":900421,"description":"Permission entry already exists."}"#),
                Examples.answer(403, #"{"error":{"code":"Forbidden","message":"Insufficient privileges"}}"#),
                Examples.answer(429, #"{"statusCode":429,"message":"Rate limit"}"#, retryAfter: "12"),
                Examples.answer(503, "<html>busy</html>", retryAfter: "Sun, 06 Nov 2094 08:49:37 GMT"),
                Examples.answer(400, #"{"odata.error":{"code":"x","message":{"lang":"en","value":"licence"}}}"#),
                Examples.answer(400, #"{"error":"invalid_request","error_description":"AADSTS"}"#),
                Examples.answer(201, ""), Examples.answer(404, "\u{FEFF}{}"), Examples.answer(599, "[]"),
            ]
        }
    ) { bytes in
        let response = HTTPResponse(text: bytes)
        for kind in CommandKind.allCases {
            for api in API.allCases {
                try check(Classification(kind, api: api).verdict(on: response, now: now))
            }
        }
    }

    /// The identity service's answer.
    static let tokenAnswer = FuzzInput(
        "token-answer",
        TextMutation(answerWords),
        examples: {
            [
                Examples.answer(200, #"{"access_token":"a.b-c","refresh_token":"r","expires_in":3599}"#),
                Examples.answer(200, #"{"access_token":"a","expires_in":"3599"}"#),
                Examples.answer(
                    400,
                    #"{"error":"invalid_grant","error_codes":[700082],"error_description":"AADSTS700082"}"#
                ),
                Examples.answer(401, #"{"error":"invalid_client","error_codes":[7000215]}"#),
                Examples.answer(429, "", retryAfter: "30"),
            ]
        }
    ) { bytes in
        let response = HTTPResponse(text: bytes)
        for atPartner in [true, false] {
            do {
                try check(TokenAnswer(response, atPartner: atPartner, now: now))
            } catch let failure as TokenFailure {
                try require(failure.error != nil, "a failure is no success")
                try check(failure.verdict)
            }
        }
    }

    private static func check(_ answer: TokenAnswer) throws {
        let token = answer.accessToken.reveal().utf8
        try require(!token.isEmpty && token.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a token fits into a header")
        try require(answer.lifetime >= .zero && answer.lifetime <= .seconds(86_400), "a token lives for a while")
    }

    static func check(_ verdict: Verdict) throws {
        func check(_ error: CommandError, _ retryAfter: Duration? = nil) throws {
            try require(error.category.outcome == .failed, "\(error.category) is a failure")
            try require(!error.message.isEmpty && error.message.utf8.count < 1024, "the message is a sentence")
            for text in [error.code, error.description].compactMap({ $0 }) {
                try require(!text.isEmpty && text.unicodeScalars.count <= 1024, "Microsoft's words are cut")
            }
            if let retryAfter {
                // To be multiplied and added without a second look.
                try require(retryAfter >= .zero && retryAfter.milliseconds >= 0, "a wait is no less than nothing")
            }
        }
        switch verdict {
        case .succeeded: break
        case .failed(let error), .unauthorized(let error), .misconfigured(let error): try check(error)
        case .transient(let error, _, let retryAfter), .throttled(let error, let retryAfter):
            try check(error, retryAfter)
        }
    }
}
