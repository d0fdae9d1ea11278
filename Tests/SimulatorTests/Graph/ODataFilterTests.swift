import Testing

@testable import partner_center_simulator

@Suite struct ODataFilterTests {
    private let item: JSON = [
        "appId": "a", "appDisplayName": "O'Hara and Sons",
        "userConsentRequests": [["status": "InProgress", "reason": "x"], ["status": "Completed", "reason": "y"]],
    ]

    private func filter(_ text: String) throws(GraphError) -> ODataFilter {
        try ODataFilter(
            text,
            properties: ["appId", "appDisplayName"],
            collections: ["userConsentRequests": ["status", "reason"]]
        )
    }

    @Test(arguments: [
        "appId eq 'a'", "  appId   eq   'a'  ", "appDisplayName eq 'O''Hara and Sons'",
        "userConsentRequests/any(u:u/status eq 'InProgress')",
        "userConsentRequests/any (u: u/status eq 'InProgress')",
        "userConsentRequests/any(x:x/status eq 'Completed' and x/reason eq 'y')",
        "appId eq 'a' and userConsentRequests/any(u:u/status eq 'Completed')",
    ])
    func `a filter that fits keeps the item`(text: String) throws {
        #expect(try filter(text).matches(item))
    }

    @Test(arguments: [
        "appId eq 'A'", "appId eq ''", "appId eq 'a' and appDisplayName eq 'x'",
        "userConsentRequests/any(u:u/status eq 'Expired')",
        // Each comparison fits one of the requests, but both must fit the same.
        "userConsentRequests/any(u:u/status eq 'InProgress' and u/reason eq 'y')",
    ])
    func `a filter that does not fit drops the item`(text: String) throws {
        #expect(try !filter(text).matches(item))
    }

    @Test(arguments: [
        "", "appId", "appId ne 'a'", "appId eq a", "appId eq 'a", "appId eq 'a' or appId eq 'b'", "id eq 'a'",
        "appId eq 'a' appId eq 'b'", "userConsentRequests/all(u:u/status eq 'x')", "other/any(u:u/status eq 'x')",
        "userConsentRequests/any(u:v/status eq 'x')", "userConsentRequests/any(u:u/id eq 'x')",
        "userConsentRequests/any(u:u/status eq 'x'",
    ])
    func `what is not supported is refused with 400`(text: String) {
        let error = #expect(throws: GraphError.self) { try filter(text) }
        #expect(error?.status == 400)
    }

    @Test func `an item without the collection has no match in it`() throws {
        #expect(try !filter("userConsentRequests/any(u:u/status eq 'InProgress')").matches(["appId": "a"]))
    }
}
