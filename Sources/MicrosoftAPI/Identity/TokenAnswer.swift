package import ConsentContract
package import HTTP
import JSON
package import Secrets

/// What the token endpoint gave for a refresh token.
package struct TokenAnswer: Sendable, Hashable {
    package let accessToken: Secret
    /// The one to use from now on, if it gave another.
    package let refreshToken: Secret?
    package let lifetime: Duration

    /// Microsoft's tokens live for about an hour; a longer life is not believed.
    private static let longestLife = 86_400

    /// - Parameter atPartner: whether it was asked for at the partner's own tenant.
    package init(_ response: HTTPResponse, atPartner: Bool, now: Timestamp) throws(TokenFailure) {
        let document = try? JSONParser.parse(response.body)
        guard response.status == 200 else {
            throw TokenFailure.refused(
                status: response.status,
                error: ErrorBody.cut(document?["error"]?.string),
                codes: document?["error_codes"]?.array?.compactMap(\.int) ?? [],
                // The texts name tenants and trace IDs, never tokens.
                description: ErrorBody.cut(document?["error_description"]?.string),
                atPartner: atPartner,
                retryAfter: response[header: "Retry-After"].flatMap { RetryAfter.parse($0, now: now) }
            )
        }
        guard let document, let token = document["access_token"]?.string, Self.isToken(token) else {
            let error = CommandError(
                .malformedResponse,
                "The identity service answered without a token.",
                source: .identity,
                status: 200
            )
            throw TokenFailure(.transient(error, outcomeUnknown: false, retryAfter: nil))
        }
        accessToken = Secret(token)
        refreshToken = document["refresh_token"]?.string.flatMap { $0.isEmpty ? nil : Secret($0) }
        // The v1 endpoint writes the number as a string.
        let seconds = document["expires_in"]?.int ?? document["expires_in"]?.string.flatMap { Int($0) } ?? 3600
        lifetime = .seconds(min(max(seconds, 0), Self.longestLife))
    }

    /// Whether it fits into a header: with a line break in it, it would end it (RFC 6750 section 2.1).
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
