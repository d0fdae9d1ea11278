import Testing

@testable import partner_center_simulator

@Suite struct TokenRouteTests {
    private let tokens = TokenStore()
    private let consents = ConsentStore()

    private let strictPlan = """
        {"strict": true,
         "applications": [{"clientId": "\(TestValues.application)", "clientSecret": "right"}],
         "partners": [{"tenantId": "\(TestValues.partner)", "refreshToken": "known"}],
         "customers": [{"id": "\(TestValues.customer)", "partner": "\(TestValues.partner)"}]}
        """

    private func redeem(
        tenant: String = TestValues.partner,
        changing changes: [String: String?] = [:],
        plan: String = "{}",
        rotates: Bool = false,
        requiresConsent: Bool = false
    ) throws -> Answer {
        var form: [String: String?] = [
            "grant_type": "refresh_token", "client_id": TestValues.application, "client_secret": "right",
            "refresh_token": "known", "scope": "https://api.partnercenter.microsoft.com/.default offline_access",
        ]
        form.merge(changes) { _, new in new }
        let route = TokenRoute(
            settings: .init(
                lifetimeSeconds: 60,
                rotatesRefreshTokens: rotates,
                requiresConsentForGraph: requiresConsent
            ),
            directory: TenantDirectory(plan: try TestValues.plan(plan)),
            tokens: tokens,
            consents: consents
        )
        let call = TestValues.tokenCall(tenant: tenant, form: form.compactMapValues { $0 })
        return route.answer(call, route.read(call)).answer
    }

    @Test func `a token remembers whom it is for and when it ends`() throws {
        let answer = try redeem()
        let text = try #require(answer.json?["access_token"]?.text)
        let lookup = tokens.look(up: text, at: TestValues.milliseconds(59_999))
        #expect(answer.status == 200)
        #expect(lookup.token?.client == TestValues.application)
        #expect(lookup.token?.partner == TestValues.partner)
        #expect(lookup.token?.resource == "https://api.partnercenter.microsoft.com")
        #expect(lookup == .live(try #require(lookup.token)))
        #expect(tokens.look(up: text, at: TestValues.milliseconds(60_000)) == .expired(try #require(lookup.token)))
    }

    @Test(
        arguments: [
            (["grant_type": nil], "invalid_request", 900_144),
            (["grant_type": "password"], "unsupported_grant_type", 70003),
            (["refresh_token": ""], "invalid_request", 900_144),
            (["client_secret": nil], "invalid_client", 7_000_218),
            (["scope": "User.Read"], "invalid_scope", 70011),
            (["scope": "a/.default b/.default"], "invalid_scope", 70011),
            (["client_assertion": "x"], "invalid_client", 50027),
        ] as [([String: String?], String, Int)]
    )
    func `what is missing or wrong is named`(changes: [String: String?], error: String, code: Int) throws {
        let answer = try redeem(changing: changes)
        #expect(answer.status == (error == "invalid_client" ? 401 : 400))
        #expect(answer.json?["error"]?.text == error)
        #expect(answer.json?["error_codes"] == [.integer(code)])
        #expect(answer.json?["error_description"]?.text?.hasPrefix("AADSTS\(code): ") == true)
    }

    @Test(arguments: [
        (TestValues.partner, ["client_secret": "wrong"], 7_000_215),
        (TestValues.partner, ["client_id": TestValues.otherApplication], 7_000_215),
        (TestValues.partner, ["refresh_token": "other"], 700082),
        (TestValues.application, [:], 90002),
    ])
    func `a strict plan accepts only what it lists`(tenant: String, changes: [String: String], code: Int) throws {
        let answer = try redeem(tenant: tenant, changing: changes.mapValues { $0 }, plan: strictPlan)
        #expect(answer.json?["error_codes"] == [.integer(code)])
        #expect(try redeem(plan: strictPlan).status == 200)
    }

    @Test func `a Graph token needs a consent where the plan says so`() throws {
        let graph = ["scope": "https://graph.microsoft.com/.default"]
        let before = try redeem(tenant: TestValues.customer, changing: graph, plan: strictPlan, requiresConsent: true)
        #expect(before.json?["error_codes"] == [65001])
        let pair = ConsentStore.Pair(customer: TestValues.customer, application: TestValues.application)
        _ = consents.grant([], to: pair, requestID: "one")
        let after = try redeem(tenant: TestValues.customer, changing: graph, plan: strictPlan, requiresConsent: true)
        #expect(after.status == 200)
    }

    @Test func `a rotated refresh token is the same partner's, and the old one stays good`() throws {
        #expect(try redeem().json?["refresh_token"] == "known")
        let next = try #require(try redeem(plan: strictPlan, rotates: true).json?["refresh_token"]?.text)
        #expect(next != "known")
        #expect(try redeem(changing: ["refresh_token": next], plan: strictPlan).status == 200)
        #expect(try redeem(plan: strictPlan).status == 200)
        let graph = ["refresh_token": next, "scope": "https://graph.microsoft.com/.default"]
        #expect(try redeem(tenant: TestValues.customer, changing: graph, plan: strictPlan).status == 200)
        #expect(tokens.refreshTokens.map(\.latest) == [next])
        #expect(tokens.refreshTokens.map(\.issued) == [1])
    }
}
