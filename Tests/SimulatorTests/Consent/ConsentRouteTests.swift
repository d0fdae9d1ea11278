import HTTPTypes
import Testing

@testable import partner_center_simulator

@Suite struct ConsentRouteTests {
    private let tokens = TokenStore()
    private let consents = ConsentStore()
    private let token: String

    init() {
        token = tokens.issue(
            AccessToken(
                client: TestValues.application,
                tenant: TestValues.partner,
                resource: "https://api.partnercenter.microsoft.com",
                partner: TestValues.partner,
                expiresAt: TestValues.milliseconds(1000)
            )
        )
    }

    private func answer(_ call: APICall, plan: String = "{}") throws -> Outcome {
        let directory = TenantDirectory(plan: try TestValues.plan(plan))
        let route = ConsentRoute(directory: directory, tokens: tokens, consents: consents)
        return route.answer(call, route.read(call))
    }

    @Test func `a consent is granted once and revoked once`() throws {
        let grant = TestValues.grantCall(token: token)
        let revoke = TestValues.revokeCall(token: token)
        #expect(try answer(grant).answer.status == 201)
        #expect(try answer(grant).answer.status == 409)
        #expect(try answer(revoke).answer.status == 200)
        #expect(try answer(revoke).answer.status == 404)
        #expect(try answer(grant).answer.status == 201)
    }

    @Test func `a request that took effect gets its success again, without a second effect`() throws {
        let grant = TestValues.grantCall(token: token, requestID: "one")
        let first = try answer(grant)
        let second = try answer(grant)
        #expect(first.effect == .granted && !first.isRepeat)
        #expect(second.answer.status == 201)
        #expect(second.effect == nil && second.isRepeat)
        #expect(consents.consents().values.flatMap(\.history).map(\.requestId) == ["one"])
    }

    @Test func `a request that was refused is judged anew`() throws {
        #expect(try answer(TestValues.revokeCall(token: token, requestID: "one")).answer.status == 404)
        _ = try answer(TestValues.grantCall(token: token))
        #expect(try answer(TestValues.revokeCall(token: token, requestID: "one")).answer.status == 200)
    }

    @Test func `the same ID for grant and revocation is two requests`() throws {
        #expect(try answer(TestValues.grantCall(token: token, requestID: "one")).effect == .granted)
        #expect(try answer(TestValues.revokeCall(token: token, requestID: "one")).effect == .revoked)
    }

    @Test func `the names of members may be written in any case`() throws {
        let grant = #"{"EnterpriseApplicationID": "00000003-0000-0000-C000-000000000000", "SCOPE": "User.Read"}"#
        let body = #"{"ApplicationId": "\#(TestValues.application)", "ApplicationGrants": [\#(grant)]}"#
        #expect(try answer(TestValues.grantCall(token: token, body: body)).answer.status == 201)
        let granted = consents.consents().values.flatMap(\.grants)
        #expect(granted.map(\.enterpriseApplicationId) == ["00000003-0000-0000-c000-000000000000"])
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"applicationId": "x", "applicationGrants": []}"#,
        #"{"applicationId": "11111111-1111-4111-8111-111111111111"}"#,
        #"{"applicationId": "11111111-1111-4111-8111-111111111111", "applicationGrants": []}"#,
        #"{"applicationId": "11111111-1111-4111-8111-111111111111", "applicationGrants": [{"scope": "x"}]}"#,
        #"{"applicationId": "11111111-1111-4111-8111-111111111111", "applicationGrants": "#
            + #"[{"enterpriseApplicationId": "00000003-0000-0000-c000-000000000000", "scope": " , "}]}"#,
    ])
    func `a body that is not right is refused with a numeric code`(body: String) throws {
        let outcome = try answer(TestValues.grantCall(token: token, body: body))
        #expect(outcome.answer.status == 400)
        #expect(outcome.answer.json?["code"] == 2000)
        #expect(outcome.effect == nil)
    }

    @Test func `an application can only consent to itself`() throws {
        let body = #"{"applicationId": "\#(TestValues.otherApplication)", "applicationGrants": [\#(TestValues.grant)]}"#
        #expect(try answer(TestValues.grantCall(token: token, body: body)).answer.status == 403)
    }

    @Test func `a token is judged by the moment of arrival`() throws {
        let inTime = TestValues.grantCall(token: token, at: TestValues.milliseconds(999))
        let late = TestValues.grantCall(token: token, at: TestValues.milliseconds(1000))
        #expect(try answer(late).answer.status == 401)
        #expect(try answer(late).answer.headers[.wwwAuthenticate] != nil)
        #expect(try answer(inTime).answer.status == 201)
    }

    @Test func `no token and an unknown one are refused`() throws {
        #expect(try answer(TestValues.grantCall()).answer.status == 401)
        #expect(try answer(TestValues.grantCall(token: "x")).answer.status == 401)
    }

    @Test func `a strict plan knows its customers and whose they are`() throws {
        let other = "22222222-2222-4222-8222-999999999999"
        let call = TestValues.grantCall(token: token)
        let foreign = #"{"strict": true, "customers": [{"id": "\#(TestValues.customer)", "partner": "\#(other)"}]}"#
        let own = foreign.replacing(other, with: TestValues.partner)
        #expect(try answer(call, plan: #"{"strict": true}"#).answer.status == 404)
        #expect(try answer(call, plan: foreign).answer.json?["code"] == 20002)
        #expect(try answer(call, plan: own).answer.status == 201)
    }
}
