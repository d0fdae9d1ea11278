import HTTPTypes

/// A refusal of the token endpoint.
struct TokenError: Error, Equatable, Sendable {
    var status: Int
    var error: String
    var code: Int
    var description: String

    init(status: Int? = nil, error: String, code: Int, description: String? = nil) {
        self.status = status ?? Self.usualStatus(of: error)
        self.error = error
        self.code = code
        self.description = description ?? Self.descriptions[code] ?? "The request was refused."
    }

    /// The answer in the documented form; `trace_id` and `correlation_id` are in its text too.
    func answer(correlationID: String?) -> Answer {
        let trace = Identifiers.guid()
        let correlation = correlationID ?? Identifiers.guid()
        let timestamp = UTCTime.now().tokenErrorTimestamp
        let suffix = "Trace ID: \(trace) Correlation ID: \(correlation) Timestamp: \(timestamp)"
        let body: JSON = [
            "error": .string(error),
            "error_description": .string("AADSTS\(code): \(description) \(suffix)"),
            "error_codes": [.integer(code)],
            "timestamp": .string(timestamp),
            "trace_id": .string(trace),
            "correlation_id": .string(correlation),
            "error_uri": .string("https://login.microsoftonline.com/error?code=\(code)"),
        ]
        return .json(status, body)
    }

    private static func usualStatus(of error: String) -> Int {
        switch error {
        case "invalid_client": 401
        case "temporarily_unavailable": 503
        default: 400
        }
    }

    /// What the identity platform says for the codes that a worker has to tell apart.
    private static let descriptions: [Int: String] = [
        50012: "Authentication failed.",
        50020: "User account does not exist in tenant and cannot access the application in that tenant.",
        50034: "The user account does not exist in the directory.",
        50076: "Due to a configuration change made by your administrator, you must use multi-factor authentication.",
        50079: "The user is required to use multi-factor authentication.",
        50089: "Authentication failed due to flow token expired.",
        50173: "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
        53003: "Access has been blocked by Conditional Access policies.",
        65001: "The user or administrator has not consented to use the application.",
        70008: "The provided authorization code or refresh token has expired due to inactivity.",
        70043: "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.",
        90002: "Tenant not found. Check to make sure you have the correct tenant ID.",
        90033: "A transient error has occurred. Please try again.",
        500011: "The resource principal was not found in the tenant.",
        650052: "The app needs access to a service that your organization has not subscribed to or enabled.",
        700016: "Application was not found in the directory.",
        700027: "The certificate with identifier used to sign the client assertion is not registered on application.",
        700082: "The refresh token has expired due to inactivity.",
        7_000_215: "Invalid client secret provided.",
        7_000_222: "The provided client secret keys are expired.",
    ]
}
