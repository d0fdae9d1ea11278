import ConsentContract

/// Why there is no access token, as a verdict on the command that needs it.
package struct TokenFailure: Error, Sendable, Hashable {
    package let verdict: Verdict

    package init(_ verdict: Verdict) { self.verdict = verdict }

    /// Reads an error of the token endpoint: who was asked first, then `error`, then AADSTS codes as refinement.
    /// (learn.microsoft.com/entra/identity-platform/reference-error-codes)
    package static func refused(
        status: Int,
        error: String?,
        codes: [Int],
        description: String?,
        atPartner: Bool,
        retryAfter: Duration? = nil
    ) -> TokenFailure {
        func failure(_ category: ErrorCategory, _ message: String) -> CommandError {
            CommandError(
                category,
                message,
                source: .identity,
                status: status,
                code: codes.first.map { "AADSTS\($0)" } ?? error,
                description: description
            )
        }
        let isTransient =
            error == nil || error == "temporarily_unavailable" || status == 408 || status == 429 || status >= 500
            || codes.contains(where: transientCodes.contains)
        if isTransient {
            let error = failure(.identityUnavailable, "The identity service could not issue a token.")
            return TokenFailure(.transient(error, outcomeUnknown: false, retryAfter: retryAfter))
        }
        let ofTenant = tenantCodes.first { codes.contains(where: $0.codes.contains) }
        // A tenant that does not know the application, or the resource, says so too, whatever the secret.
        if error == "invalid_client", ofTenant == nil {
            return TokenFailure(
                .misconfigured(
                    failure(
                        .internalError,
                        "The identity service does not accept the application's secret or certificate."
                    )
                )
            )
        }
        if atPartner, let error, !signInErrors.contains(error) {
            return TokenFailure(
                .failed(failure(.unauthorized, "The identity service refused the application's request for a token."))
            )
        }
        if atPartner || codes.contains(where: expiredCodes.contains) {
            return TokenFailure(
                .failed(
                    failure(.partnerReauthorizationRequired, "The partner's refresh token is no longer accepted.")
                )
            )
        }
        if let ofTenant { return TokenFailure(.failed(failure(ofTenant.category, ofTenant.message))) }
        return TokenFailure(
            .failed(failure(.customerNotConsented, "The customer's tenant issued no token for the application."))
        )
    }

    /// The partner's account has to sign in again, which also makes its tenant know the application.
    private static let signInErrors: Set<String> = [
        "invalid_grant", "interaction_required", "login_required", "consent_required", "invalid_client",
    ]

    private static let transientCodes: Set<Int> = [50033, 50087, 90006, 90012, 90024, 90033, 90055, 90090, 650051]

    /// The partner's own refresh token, whichever tenant noticed it.
    private static let expiredCodes: Set<Int> = [700082, 70008, 50173, 70043, 50089]

    /// What a customer's tenant refuses for itself.
    private static let tenantCodes: [(category: ErrorCategory, codes: Set<Int>, message: String)] = [
        (
            .customerNotConsented, [65001, 90099, 700016, 7_000_229],
            "The customer has not consented to the application."
        ),
        (
            .customerConditionalAccess, [50076, 50079, 50074, 50078, 50158, 53003, 530032],
            "The customer's conditional access policy refused the partner's account."
        ),
        (
            .customerAccessLost, [50020, 50034, 90072, 50177],
            "The partner's account is unknown in the customer's tenant."
        ),
        (.customerTenantNotFound, [90002, 900023, 5000224], "The customer's tenant does not exist."),
        (.serviceNotSubscribed, [650052, 500011], "The customer has not enabled the service."),
    ]
}

extension TokenFailure {
    /// Whether a tenant takes the partner's refresh token for expired.
    var saysExpired: Bool { error?.category == .partnerReauthorizationRequired }

    /// The same refusal once the partner's own tenant has accepted the token: a rule of the customer's.
    var ofCustomer: TokenFailure {
        guard let error else { return self }
        return TokenFailure(
            .failed(
                CommandError(
                    .customerConditionalAccess,
                    "The customer's tenant does not accept the partner's sign-in.",
                    source: error.source,
                    status: error.status,
                    code: error.code,
                    description: error.description
                )
            )
        )
    }
}
