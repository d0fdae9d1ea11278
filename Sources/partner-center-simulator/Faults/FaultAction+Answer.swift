import HTTPTypes
import NIOCore

extension FaultAction {
    /// The answer that the client gets instead of `original`, which is nil if the request was stopped before its effect.
    func answer<Route: APIRoute>(
        insteadOf original: Answer?,
        through route: Route,
        for call: APICall,
        limits: RateLimits
    ) -> Answer {
        var success = original ?? Answer(status: call.kind == .grant ? 201 : 200)
        switch self {
        case .latency, .expireTokens:
            preconditionFailure("\(self) replaces no answer")
        case .status(let answer):
            return answer.answer
        case .throttle(let retryAfter):
            return route.throttled(call, retryAfter: retryAfter ?? String(limits.retryAfter))
        case .refusal(let refusal):
            return refusal.answer
        case .tokenError(let fault):
            return TokenError(
                status: fault.status,
                error: fault.error,
                code: fault.code,
                description: fault.description
            ).answer(correlationID: call.headers[.clientRequestID])
        case .reset:
            success.delivery = .reset
        case .hang(let milliseconds):
            success.delivery = .hanging(milliseconds: milliseconds)
        case .malformed:
            success.headers[.contentType] = "application/json; charset=utf-8"
            success.body = ByteBuffer(string: #"{"applicationId": "11111111-1111-"#)
        case .truncate:
            success.headers[.contentType] = "application/json; charset=utf-8"
            if success.body.readableBytes == 0 { success.body = ByteBuffer(string: #"{"value": ["#) }
            success.delivery = .truncated
        case .huge(let bytes):
            success.headers[.contentType] = "application/json; charset=utf-8"
            success.body = ByteBuffer(repeating: UInt8(ascii: " "), count: bytes)
        }
        return success
    }
}

extension FaultAction.StatusAnswer {
    var answer: Answer {
        var answer: Answer
        switch body {
        case nil: answer = Answer(status: status)
        case .string(let text): answer = .text(status, contentType: "text/plain; charset=utf-8", text)
        case .some(let body): answer = .json(status, body)
        }
        if let contentType { answer.headers[.contentType] = contentType }
        for (name, value) in headers ?? [:] {
            if let name = HTTPField.Name(name) { answer.headers[name] = value }
        }
        return answer
    }
}
