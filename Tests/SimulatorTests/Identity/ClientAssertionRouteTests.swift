import FoundationEssentials
import Testing

@testable import partner_center_simulator

/// Assertions as the token endpoint takes them.
@Suite struct ClientAssertionRouteTests {
    private let tokens = TokenStore()
    private let identity: TestIdentity

    init() throws {
        identity = try TestIdentity.application.get()
    }

    private func plan(secret: String? = nil) -> SimulationPlan {
        let application: JSON = [
            "clientId": .string(TestValues.application), "certificate": .string(identity.certificatePEM),
            "clientSecret": secret.map { .string($0) } ?? .null,
        ]
        let plan = try? JSONText.decode(SimulationPlan.self, from: JSONText.encode(["applications": [application]]))
        return plan ?? SimulationPlan()
    }

    private func code(
        _ form: [String: String],
        tenant: String = TestValues.partner,
        plan: SimulationPlan? = nil
    ) -> Int? {
        var form = form
        form["grant_type"] = "refresh_token"
        form["client_id"] = TestValues.application
        form["refresh_token"] = "known"
        form["scope"] = "https://graph.microsoft.com/.default"
        let route = TokenRoute(
            settings: .init(lifetimeSeconds: 60, rotatesRefreshTokens: false, requiresConsentForGraph: false),
            directory: TenantDirectory(plan: plan ?? self.plan()),
            tokens: tokens,
            consents: ConsentStore()
        )
        let call = TestValues.tokenCall(tenant: tenant, form: form)
        let answer = route.answer(call, route.read(call)).answer
        guard answer.status != 200 else { return nil }
        guard case .integer(let code) = answer.json?["error_codes"]?.items?.first else { return 0 }
        return code
    }

    private func form(_ endpoint: String = TestAssertion.endpoint) throws -> [String: String] {
        let assertion = try TestAssertion(by: identity, now: UTCTime.now().seconds, endpoint: endpoint).text()
        return ["client_assertion_type": ClientAssertion.type, "client_assertion": assertion]
    }

    @Test func `an assertion is good once`() throws {
        let form = try form()
        #expect(code(form) == nil)
        #expect(code(form) == 50027)
        #expect(code(try self.form()) == nil)
    }

    @Test func `each tenant wants its own`() throws {
        let endpoint = "https://localhost:1/\(TestValues.customer)/oauth2/v2.0/token"
        #expect(code(try form(), tenant: TestValues.customer) == 700023)
        #expect(code(try form(endpoint), tenant: TestValues.customer) == nil)
    }

    @Test func `a tenant in capitals is one as the client writes it`() throws {
        let tenant = "AAAAAAAA-2222-4222-8222-222222222222"
        #expect(code(try form("https://localhost:1/\(tenant)/oauth2/v2.0/token"), tenant: tenant) == nil)
    }

    @Test func `the type is needed`() throws {
        var form = try form()
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
        #expect(code(form) == 50027)
    }

    @Test func `a plan that does not name the certificate refuses`() throws {
        let unnamed = #"{"applications": [{"clientId": "\#(TestValues.application)", "clientSecret": "right"}]}"#
        #expect(code(try form(), plan: try TestValues.plan()) == 700027)
        #expect(code(try form(), plan: try TestValues.plan(unnamed)) == 700027)
        #expect(code(try form(), plan: try TestValues.plan(#"{"strict": true}"#)) == 700027)
    }

    @Test func `beside a certificate only the secret that is listed is right`() throws {
        #expect(code(["client_secret": "right"]) == 7_000_215)
        #expect(code(["client_secret": "right"], plan: plan(secret: "right")) == nil)
        #expect(code(["client_secret": "wrong"], plan: plan(secret: "right")) == 7_000_215)
        #expect(code(try form(), plan: plan(secret: "right")) == nil)
    }
}
