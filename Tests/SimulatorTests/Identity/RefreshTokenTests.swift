import Testing

@testable import partner_center_simulator

@Suite struct RefreshTokenTests {
    private let store = TokenStore()

    private func issue(application: String = TestValues.application, tenant: String) -> String {
        store.issueRefreshToken(partner: TestValues.partner, application: application, tenant: tenant)
    }

    @Test func `the latest is told for the partner and for each tenant asked`() throws {
        let first = issue(tenant: TestValues.partner)
        let second = issue(tenant: TestValues.partner)
        let third = issue(tenant: TestValues.customer)
        let account = try #require(store.refreshTokens.first)
        #expect(store.refreshTokens.count == 1)
        #expect(account.issued == 3)
        #expect(account.latest == third)
        #expect(account.tenants.map(\.tenant) == [TestValues.partner, TestValues.customer])
        #expect(account.tenants.map(\.issued) == [2, 1])
        #expect(account.tenants.map(\.latest) == [second, third])
        #expect(store.partner(ofRefreshToken: first) == TestValues.partner)
    }

    @Test func `applications are apart`() {
        _ = issue(tenant: TestValues.partner)
        let others = issue(application: TestValues.otherApplication, tenant: TestValues.partner)
        #expect(store.refreshTokens.map(\.issued) == [1, 1])
        #expect(store.refreshTokens.last?.application == TestValues.otherApplication)
        #expect(store.refreshTokens.last?.latest == others)
    }

    @Test func `every member is in the answer`() {
        _ = store.issueRefreshToken(partner: nil, application: TestValues.application, tenant: TestValues.customer)
        let json = try? JSONText.decode([JSON].self, from: JSONText.encode(store.refreshTokens))
        #expect(json?.first?["partner"] == .null)
        #expect(json?.first?["tenants"]?.items?.first?["issued"] == 1)
    }
}
