import Testing

@testable import partner_center_simulator

/// Faults of token requests: the partner's tenant and its customers' are apart.
@Suite struct TokenFaultTests {
    private let tokens = TokenStore()
    private let arrivals = ArrivalLog()

    private func redeem(at tenant: String, fault: String) async throws -> JSON? {
        let route = TokenRoute(
            settings: .init(lifetimeSeconds: 60, rotatesRefreshTokens: false, requiresConsentForGraph: false),
            directory: TenantDirectory(plan: try TestValues.plan()),
            tokens: tokens,
            consents: ConsentStore()
        )
        let gateway = Gateway(
            arrivals: arrivals,
            limits: RateLimits(settings: .init()),
            faults: FaultInjector(try TestValues.faults("[\(fault)]")),
            tokens: tokens,
            latencyMs: 0
        )
        let form = [
            "grant_type": "refresh_token", "client_id": TestValues.application, "client_secret": "s",
            "refresh_token": "r", "scope": "https://graph.microsoft.com/.default",
        ]
        let call = TestValues.tokenCall(tenant: tenant, form: form)
        return try await gateway.respond(to: call, through: route).json
    }

    @Test func `a fault for a customer's tenant leaves the partner's alone`() async throws {
        let fault = """
            {"match": {"kind": "token", "tenant": "\(TestValues.customer)"},
             "action": {"tokenError": {"error": "invalid_grant", "code": 65001}}}
            """
        let customer = try await redeem(at: TestValues.customer.uppercased(), fault: fault)
        let partner = try await redeem(at: TestValues.partner, fault: fault)
        #expect(customer?["error"] == "invalid_grant")
        #expect(customer?["error_codes"] == [65001])
        #expect(partner?["access_token"] != nil)
        #expect(arrivals.arrivals().map(\.tenant) == [TestValues.customer, TestValues.partner])
        #expect(arrivals.arrivals().map(\.fault) == ["fault-1", nil])
    }

    @Test func `a fault for the partner's tenant leaves its customers' alone`() async throws {
        let fault = #"{"match": {"tenant": "\#(TestValues.partner)"}, "action": {"refusal": "forbidden"}}"#
        #expect(try await redeem(at: TestValues.partner, fault: fault)?["access_token"] == nil)
        #expect(try await redeem(at: TestValues.customer, fault: fault)?["access_token"] != nil)
    }

    @Test(arguments: [("client_secret=x", "secret"), ("client_secret=x&client_assertion=y", "assertion"), ("", nil)])
    func `an arrival tells how the client authenticated`(form: String, expected: String?) {
        #expect(ClientAuthentication(FormFields(form))?.rawValue == expected)
    }

    @Test func `it is a member of every arrival`() async throws {
        _ = try await redeem(at: TestValues.partner, fault: #"{"action": {"latency": {"ms": 0}}}"#)
        _ = arrivals.begin(TestValues.grantCall(), subject: Subject(), admitted: true)
        let json = try JSONText.decode([JSON].self, from: JSONText.encode(arrivals.arrivals()))
        #expect(json.map { $0["clientAuthentication"] } == ["secret", .some(.null)])
    }
}
