import HTTPTypes
import Testing

@testable import partner_center_simulator

@Suite struct GraphRouteTests {
    private let tokens = TokenStore()

    private func get(
        _ path: String,
        query: String = "",
        resource: String = "https://graph.microsoft.com",
        settings: GraphSettings = GraphSettings()
    ) -> Answer {
        let token = tokens.issue(
            AccessToken(
                client: TestValues.application,
                tenant: TestValues.customer,
                resource: resource,
                expiresAt: TestValues.milliseconds(1)
            )
        )
        var call = APICall(
            kind: .graph,
            method: .get,
            path: path,
            segments: path.split(separator: "/"),
            query: FormFields(query),
            authority: "127.0.0.1:1",
            arrivedAt: TestValues.milliseconds(0)
        )
        call.headers[.authorization] = "Bearer \(token)"
        let route = GraphRoute(tokens: tokens, graph: GraphStore(settings: settings))
        return route.answer(call, route.read(call)).answer
    }

    private func settings(_ text: String) throws -> GraphSettings {
        try JSONText.decode(GraphSettings.self, from: text.utf8)
    }

    private let list = "/v1.0/identityGovernance/appConsent/appConsentRequests"
    private let betaList = "/beta/identityGovernance/appConsent/appConsentRequests"

    @Test func `consentType is a member of beta only`() {
        #expect(get(list).json?["value"]?.items?.allSatisfy { $0["consentType"] == nil } == true)
        #expect(get(betaList).json?["value"]?.items?.allSatisfy { $0["consentType"] != nil } == true)
        #expect(get(list, query: "$filter=consentType+eq+'Static'").status == 400)
        #expect(get(betaList, query: "$filter=consentType+eq+'Static'").status == 200)
    }

    @Test func `the next link leads on the host that was asked, with the options of the request`() throws {
        let answer = get(list, query: "$top=2&$filter=userConsentRequests/any(u:u/status+eq+'InProgress')")
        let link = try #require(answer.json?["@odata.nextLink"]?.text)
        #expect(link.hasPrefix("http://127.0.0.1:1\(list)?$top=2&$filter=userConsentRequests%2Fany"))
        let query = try #require(link.split(separator: "?", maxSplits: 1).last)
        let next = get(list, query: String(query))
        #expect(next.json?["value"]?.items?.count == 1)
        #expect(next.json?["@odata.nextLink"] == nil)
    }

    @Test func `the next link can lead to another host or in a circle`() throws {
        let foreign = try settings(#"{"nextLink": "foreignHost"}"#)
        let loop = try settings(#"{"nextLink": "loop"}"#)
        let away = get(list, query: "$top=1", settings: foreign).json?["@odata.nextLink"]?.text
        let here = get(list, query: "$top=1", settings: loop).json?["@odata.nextLink"]?.text
        #expect(away?.hasPrefix("https://graph.example/") == true)
        #expect(here?.hasSuffix("$skiptoken=p0") == true)
    }

    @Test func `filterByCurrentUser needs a filter`() {
        let path = "\(list)/filterByCurrentUser(on=%27reviewer%27)"
        #expect(get(path).status == 400)
        let answer = get(path, query: "$filter=userConsentRequests/any(u:u/status+eq+'InProgress')")
        #expect(answer.json?["value"]?.items?.count == 3)
    }

    @Test func `given items are served as they are`() throws {
        let settings = try settings(
            #"{"tenants": {"\#(TestValues.customer)": {"items": [{"id": "x", "new": [1.5, null]}]}}}"#
        )
        #expect(get(list, settings: settings).json?["value"] == [["id": "x", "new": [.number(1.5), nil]]])
        #expect(get("\(list)/x", settings: settings).json?["id"] == "x")
        #expect(get("\(list)/y", settings: settings).status == 404)
    }

    @Test func `a token for Partner Center is refused`() {
        let answer = get(list, resource: "https://api.partnercenter.microsoft.com")
        #expect(answer.status == 401)
        #expect(answer.headers[.wwwAuthenticate] != nil)
    }

    @Test func `one tenant always has the same requests, and another one others`() {
        let first = ConsentRequestGenerator.items(tenant: "a", count: 20)
        #expect(first == ConsentRequestGenerator.items(tenant: "a", count: 20))
        #expect(first != ConsentRequestGenerator.items(tenant: "b", count: 20))
        #expect(Set(first.compactMap { $0["id"]?.text }).count == 20)
    }

    @Test func `dates have seven fractional digits`() throws {
        let item = ConsentRequestGenerator.items(tenant: "a", count: 1)[0]
        let date = try #require(item["userConsentRequests"]?.items?.first?["createdDateTime"]?.text)
        #expect(date.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z/) != nil)
    }
}
