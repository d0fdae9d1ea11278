import Testing

@testable import partner_center_simulator

@Suite struct RateLimitsTests {
    private let limits = RateLimits(settings: .init(partnerCenter: .requests(2), graph: .requests(1)))
    private let now = TestValues.milliseconds(0)

    @Test func `grants and revocations share one limit`() {
        #expect(limits.admit(.grant, application: "a", at: now))
        #expect(limits.admit(.revoke, application: "a", at: now))
        #expect(!limits.admit(.grant, application: "a", at: now))
    }

    @Test func `applications do not share a limit`() {
        #expect(limits.admit(.graph, application: "a", at: now))
        #expect(limits.admit(.graph, application: "b", at: now))
        #expect(!limits.admit(.graph, application: "a", at: now))
    }

    @Test func `Graph and Partner Center do not share a limit`() {
        #expect(limits.admit(.graph, application: "a", at: now))
        #expect(limits.admit(.grant, application: "a", at: now))
    }

    @Test func `the token endpoint has no limit`() {
        #expect((0..<100).allSatisfy { _ in limits.admit(.token, application: "a", at: now) })
    }

    @Test func `a changed limit holds for requests that were already admitted`() {
        #expect(limits.admit(.grant, application: "a", at: now))
        limits.change(to: .init(partnerCenter: .requests(1)))
        #expect(!limits.admit(.grant, application: "a", at: now))
    }

    @Test(arguments: [("50", RequestLimit.requests(50)), ("none", .none)])
    func `a limit is a number or none`(text: String, limit: RequestLimit) {
        #expect(RequestLimit(argument: text) == limit)
    }

    @Test(arguments: ["0", "-1", "many", ""])
    func `anything else is no limit`(text: String) {
        #expect(RequestLimit(argument: text) == nil)
    }
}
