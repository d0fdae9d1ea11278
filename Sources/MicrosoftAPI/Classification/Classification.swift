package import ConsentContract
package import HTTP

/// Reads the answer to a command's request. The first that fits counts; the cases are in
/// `Tests/IntegrationTests/Support/ClassificationTable.swift`.
package struct Classification: Sendable {
    private let kind: CommandKind
    private let source: CommandError.Source

    package init(_ kind: CommandKind, api: API) {
        self.kind = kind
        source = api == .partnerCenter ? .partnerCenter : .graph
    }

    /// - Parameter now: what a date in `Retry-After` is measured from.
    package func verdict(on response: HTTPResponse, now: Timestamp) -> Verdict {
        if (200..<300).contains(response.status) {
            return .succeeded(kind == .grant ? .granted : kind == .revoke ? .revoked : .read)
        }
        let body = ErrorBody(response.body)
        let retryAfter = response[header: "Retry-After"].flatMap { RetryAfter.parse($0, now: now) }
        func error(_ category: ErrorCategory, _ message: String) -> CommandError {
            CommandError(
                category,
                message,
                source: source,
                status: response.status,
                code: body.code,
                description: body.description
            )
        }
        switch response.status {
        case 400 where kind == .grant && body.mentions("permission entry already exists"),
            409 where kind == .grant:
            return .succeeded(.alreadyGranted)
        case 404:
            switch kind {
            case .grant: return .failed(error(.customerNotFound, "Partner Center does not know this customer."))
            case .revoke: return .succeeded(.alreadyRevoked)
            case .query: return .failed(error(.notFound, "Graph does not know what was asked for."))
            }
        case 408, 500, 502, 503, 504:
            let error = error(.apiUnavailable, "The API answered \(response.status).")
            return .transient(error, outcomeUnknown: kind != .query, retryAfter: retryAfter)
        case 429:
            return .throttled(error(.throttled, "The API throttled the application."), retryAfter: retryAfter)
        case 401 where body.code == "900421" || body.mentions("900421"):
            return .failed(
                error(.partnerReauthorizationRequired, "The partner's token was obtained without multi-factor sign-in.")
            )
        case 401:
            return .unauthorized(error(.unauthorized, "The API did not accept the token."))
        case 403,
            400 where body.mentions("insufficient privileges"):
            return .failed(error(.insufficientPrivileges, "The partner's account may not do this for this customer."))
        case 400 where body.mentions("service principal") || body.mentions("licen"):
            return .failed(error(.resourceNotProvisioned, "The customer does not have the resource."))
        case 400, 405, 410, 415, 422:
            return .failed(error(.invalidRequest, "The API refused the request as invalid."))
        case 409:
            return .failed(error(.conflict, "The API answered that the request conflicts with the present state."))
        default:
            return .failed(error(.unexpectedStatus, "The API answered \(response.status), which is not expected."))
        }
    }

    /// No answer came.
    package func verdict(on failure: HTTPError) -> Verdict {
        func error(_ category: ErrorCategory) -> CommandError {
            CommandError(category, "No answer came. \(failure)", source: source)
        }
        func transient(_ category: ErrorCategory) -> Verdict {
            .transient(error(category), outcomeUnknown: failure.wasSent && kind != .query, retryAfter: nil)
        }
        switch failure.code {
        case .timedOut: return transient(.requestTimedOut)
        case .connectionFailed, .connectionLost, .cancelled, .sendRefused: return transient(.connectionFailed)
        case .malformedResponse: return transient(.malformedResponse)
        case .tlsVerificationFailed: return transient(.tlsVerificationFailed)
        // An answer too large to be read: a write may have taken effect, a query would only get it again.
        case .responseTooLarge where kind != .query: return transient(.responseTooLarge)
        case .responseTooLarge: return .failed(error(.responseTooLarge))
        case .invalidRequest: return .failed(error(.internalError))
        }
    }
}
