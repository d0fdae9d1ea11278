import ConsentContract
import MicrosoftAPI
import Testing

@Suite("Token failures", .timeLimit(.minutes(1)))
struct TokenFailureTests {
    private func failure(
        _ error: String? = "invalid_grant",
        _ codes: [Int] = [],
        status: Int = 400,
        atPartner: Bool = false
    ) -> Verdict {
        TokenFailure.refused(
            status: status,
            error: error,
            codes: codes,
            description: "AADSTS: text",
            atPartner: atPartner
        ).verdict
    }

    private func category(_ verdict: Verdict) -> ErrorCategory? {
        if case .failed(let error) = verdict { error.category } else { nil }
    }

    @Test(
        "a customer's tenant says no for that customer only",
        arguments: [
            (ErrorCategory.customerNotConsented, [65001, 90099, 700016, 7_000_229]),
            (.customerConditionalAccess, [50076, 50079, 50074, 50078, 50158, 53003, 530032]),
            (.customerAccessLost, [50020, 50034, 90072, 50177]), (.customerTenantNotFound, [90002, 900023, 5000224]),
            (.serviceNotSubscribed, [650052, 500011]),
        ]
    )
    func customers(expected: ErrorCategory, codes: [Int]) {
        for code in codes {
            #expect(category(failure("invalid_grant", [code])) == expected)
            #expect(category(failure("interaction_required", [code])) == expected)
            #expect(category(failure("invalid_client", [code], status: 401)) == expected)
            for error in ["invalid_grant", "invalid_client"] {
                #expect(category(failure(error, [code], atPartner: true)) == .partnerReauthorizationRequired)
            }
        }
    }

    @Test(
        "an expired refresh token is the partner's affair, whichever tenant noticed",
        arguments: [
            700082, 70008, 50173, 70043, 50089,
        ]
    )
    func expired(code: Int) {
        for atPartner in [true, false] {
            #expect(category(failure("invalid_grant", [code], atPartner: atPartner)) == .partnerReauthorizationRequired)
        }
    }

    @Test(
        "a refused secret is the operator's affair and fails no command",
        arguments: [7_000_215, 7_000_222, 700_027, 50012, 0]
    )
    func invalidClient(code: Int) {
        for atPartner in [true, false] {
            guard case .misconfigured = failure("invalid_client", [code], status: 401, atPartner: atPartner) else {
                Issue.record("not the operator's")
                return
            }
        }
    }

    @Test(
        "an outage of the identity service is retried",
        arguments: [
            ("temporarily_unavailable", 0, 400), ("invalid_grant", 50033, 400), (nil, 50087, 400), ("x", 90006, 400),
            ("x", 90012, 400), ("x", 90024, 400), ("x", 90033, 400), ("x", 90055, 400), ("x", 90090, 400),
            ("x", 650051, 400), ("invalid_client", 650051, 400),
            (nil, 0, 400), (nil, 0, 302), (nil, 0, 404), ("x", 0, 408), (nil, 0, 429), (nil, 0, 500), (nil, 0, 503),
            ("invalid_grant", 65001, 503),
        ] as [(String?, Int, Int)]
    )
    func transient(error: String?, code: Int, status: Int) {
        for atPartner in [true, false] {
            let verdict = failure(error, [code], status: status, atPartner: atPartner)
            guard case .transient(let error, let unknown, _) = verdict else {
                Issue.record("not retried")
                return
            }
            #expect(error.category == .identityUnavailable)
            #expect(!unknown)
        }
    }

    @Test("an unknown refusal takes the safe reading: the customer's at its tenant, the partner's at its own")
    func unknown() {
        #expect(category(failure("invalid_grant", [1])) == .customerNotConsented)
        #expect(category(failure("unauthorized_client", [1], atPartner: true)) == .unauthorized)
        #expect(category(failure("invalid_scope", [], atPartner: true)) == .unauthorized)
        #expect(category(failure("invalid_grant", [1], atPartner: true)) == .partnerReauthorizationRequired)
    }

    @Test("names Microsoft's own code and words")
    func details() {
        guard case .failed(let error) = failure("invalid_grant", [65001, 1]) else { return }
        #expect(error.code == "AADSTS65001")
        #expect(error.description == "AADSTS: text")
        #expect(error.source == .identity)
        #expect(error.status == 400)
        guard case .failed(let bare) = failure("invalid_grant", []) else { return }
        #expect(bare.code == "invalid_grant")
    }
}
