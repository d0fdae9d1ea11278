import ConsentContract
import Foundation
import HTTP
import JSON
import MicrosoftAPI
import Secrets
import Testing

private let head: JSONValue = [
    "commandId": "7d0f9d2e-1111-4222-8333-444455556666", "partnerTenantId": "5d0c7a3e-9b41-4f26-8e57-c21b6f0d9a84",
    "customerId": "E83F14B6-2C7D-4A95-B0D8-647FA91C3E52", "applicationId": "11111111-1111-4111-8111-111111111111",
]

private func command(_ members: JSONValue) throws -> Command {
    let all = (head.object?.members ?? []) + (members.object?.members ?? [])
    return try CommandDecoder.decode(JSONValue.object(JSONObject(members: all)).bytes)
}

private let identity = RequestIdentity(
    requestID: GUID(constant: "aaaaaaaa-0000-4000-8000-000000000001"),
    correlationID: GUID(constant: "aaaaaaaa-0000-4000-8000-000000000002"),
    trace: nil
)

@Suite("Graph requests", .timeLimit(.minutes(1)))
struct GraphRequestsTests {
    private static let base = "https://graph.microsoft.com/v1.0/identityGovernance/appConsent/appConsentRequests"

    private func url(_ query: JSONValue) throws -> String {
        let command = try command(["command": "query", "query": query])
        guard case .query(let query) = command.action else { return "" }
        return GraphRequests.first(query, tenant: command.tenantID, at: Endpoints(), as: identity).url
    }

    @Test(
        "asks for what the query says",
        arguments: [
            (["operation": "list"], ""),
            (["operation": "list", "top": 5, "orderBy": "appId"], "?$orderby=appId%20asc&$top=5"),
            (["operation": "list", "orderBy": "appDisplayName desc"], "?$orderby=appDisplayName%20desc"),
            (["operation": "get", "id": "a.b_c~d-1"], "/a.b_c~d-1"),
            (
                ["operation": "filterByCurrentUser"],
                "/filterByCurrentUser(on='reviewer')?$filter=userConsentRequests%2Fany%28u%3Au%2Fstatus%20eq%20%27InProgress%27%29"
            ),
            (
                [
                    "operation": "list",
                    "filter": [
                        "appId": "2F6B9D10-73CE-4C58-A4E1-0B95D83F7C26", "consentType": "Static",
                        "userConsentStatus": "InProgress",
                    ],
                ],
                "?$filter=appId%20eq%20%272f6b9d10-73ce-4c58-a4e1-0b95d83f7c26%27%20and%20consentType%20eq%20%27Static%27"
                    + "%20and%20userConsentRequests%2Fany%28u%3Au%2Fstatus%20eq%20%27InProgress%27%29"
            ),
        ] as [(JSONValue, String)]
    )
    func urls(query: JSONValue, suffix: String) throws {
        #expect(try url(query) == Self.base + suffix)
    }

    @Test(
        "a name cannot break out of its literal or its URL",
        arguments: [
            "O'Neil", "''", "a' or 1 eq 1 or 'b", "x'\u{301} or true or '", "a&$top=1", "100%", "%27", "a+b",
            "a#b?c=d/e",
            "😀é", "a\nb\r\n", "\0", "\"\\", "\u{202E}",
        ]
    )
    func hostileNames(name: String) throws {
        let url = try url(["operation": "list", "filter": ["appDisplayName": .string(name)]])
        #expect(url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        let query = try #require(url.split(separator: "?", maxSplits: 1).last)
        #expect(url.hasPrefix(Self.base + "?$filter="))
        for character in "&#?+'\"/ " { #expect(!query.dropFirst(8).contains(character)) }
        let filter = try #require(String(query.dropFirst(8)).removingPercentEncoding)
        // What Graph reads: a quote ends the literal unless it is doubled.
        let start = "appDisplayName eq '"
        #expect(filter.hasPrefix(start))
        var inside = Array(filter.unicodeScalars.dropFirst(start.unicodeScalars.count))
        #expect(inside.popLast() == "'")
        var read = String.UnicodeScalarView()
        var rest = inside[...]
        while let scalar = rest.popFirst() {
            if scalar == "'" { #expect(rest.popFirst() == "'") }
            read.append(scalar)
        }
        #expect(Array(read) == Array(name.unicodeScalars))
    }

    @Test(
        "the ID in a child's address comes from Graph and is encoded",
        arguments: [
            ("a/../b", "a%2F..%2Fb"), ("a?b#c", "a%3Fb%23c"), ("é", "%C3%A9"), ("a b", "a%20b"),
        ]
    )
    func children(id: String, encoded: String) throws {
        let request = GraphRequests.userConsentRequests(
            of: id,
            tenant: GUID.random(),
            at: Endpoints(),
            as: identity
        )
        #expect(request.url == "\(Self.base)/\(encoded)/userConsentRequests")
    }

    @Test("is sent for the customer's tenant, with the request's ID and nothing of a token")
    func identityHeaders() throws {
        let tenant = GUID.random()
        let request = GraphRequests.next("https://graph.microsoft.com/next", tenant: tenant, as: identity)
        #expect(request.url == "https://graph.microsoft.com/next")
        #expect(request.tenantID == tenant)
        #expect(request.method == .get)
        #expect(request.headers.first { $0.name == "client-request-id" }?.value == identity.requestID.description)
        #expect(request.json["headers"]?["Authorization"] == nil)
    }
}

@Suite("Partner Center requests", .timeLimit(.minutes(1)))
struct PartnerCenterRequestsTests {
    @Test("a grant posts all grants at once, as given")
    func grant() throws {
        let resource = "00000003-0000-0000-C000-000000000000"
        let command = try command([
            "command": "grant", "displayName": "Fabrikam",
            "applicationGrants": [
                ["enterpriseApplicationId": .string(resource), "scope": "User.Read , Mail.Read"],
                ["enterpriseApplicationId": .string(resource), "scope": "A"],
            ],
        ])
        guard case .grant(let grants) = command.action else { return }
        let request = PartnerCenterRequests.grant(grants, command: command, at: Endpoints(), as: identity)
        #expect(request.method == .post)
        #expect(
            request.url
                == "https://api.partnercenter.microsoft.com/v1/customers/e83f14b6-2c7d-4a95-b0d8-647fa91c3e52/applicationconsents"
        )
        #expect(
            request.body?.text
                == #"{"applicationId":"11111111-1111-4111-8111-111111111111","applicationGrants":[{"enterpriseApplicationId":"#
                + #""00000003-0000-0000-c000-000000000000","scope":"User.Read,Mail.Read"},{"enterpriseApplicationId":"#
                + #""00000003-0000-0000-c000-000000000000","scope":"A"}],"displayName":"Fabrikam"}"#
        )
        let headers = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
        #expect(headers["ms-requestid"] == identity.requestID.description)
        #expect(headers["ms-correlationid"] == identity.correlationID.description)
        #expect(headers["Content-Type"] == "application/json")
        #expect(request.tenantID == command.partnerTenantID)
    }

    @Test("a revoke deletes without a body, and carries the token only when it is sent")
    func revoke() throws {
        let command = try command(["command": "revoke"])
        let request = PartnerCenterRequests.revoke(command: command, at: Endpoints(), as: identity)
        #expect(request.method == .delete)
        #expect(request.url.hasSuffix("/applicationconsents/11111111-1111-4111-8111-111111111111"))
        #expect(request.body == nil)
        let sent = request.http(token: Secret("hunter2"), timeout: .seconds(1), onSend: { true }, onSent: {})
        #expect(sent.headers.last == HTTPHeader("Authorization", "Bearer hunter2"))
        #expect(sent.body == nil)
        #expect(!request.json.text.contains("hunter2"))
        #expect(!"\(sent)".contains("hunter2"))
    }

    @Test("the trace goes along, as whose child the sender says last")
    func trace() throws {
        let command = try command(["command": "revoke"])
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let child = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
        let identity = RequestIdentity(
            requestID: identity.requestID,
            correlationID: identity.correlationID,
            trace: TraceContext(traceparent: parent, tracestate: "a=b")
        )
        var request = PartnerCenterRequests.revoke(command: command, at: Endpoints(), as: identity)
        #expect(request.json["headers"]?["traceparent"]?.string == parent)
        #expect(request.json["headers"]?["tracestate"] == "a=b")
        request.trace = TraceContext(traceparent: child, tracestate: nil)
        let sent = request.http(token: Secret("x"), timeout: .seconds(1), onSend: { true }, onSent: {})
        #expect(sent.headers.filter { $0.name == "traceparent" }.map(\.value) == [child])
        #expect(!sent.headers.contains { $0.name == "tracestate" })
    }
}

@Suite("Graph page", .timeLimit(.minutes(1)))
struct GraphPageTests {
    private func page(_ text: String) -> GraphPage? { GraphPage(collection: Array(text.utf8)) }

    @Test("reads items as they are, and the next link")
    func collection() {
        let page = page(#"{"@odata.nextLink":"https://x/y","value":[{"id":"1","new":{"a":1.50}},{}],"@odata.count":2}"#)
        #expect(page?.items == [["id": "1", "new": ["a": .number(JSONNumber(text: "1.50"))]], [:]])
        #expect(page?.nextLink == "https://x/y")
    }

    @Test(
        "a page without a next link is the last",
        arguments: [#"{"value":[]}"#, #"{"value":[],"@odata.nextLink":null}"#]
    )
    func last(text: String) {
        #expect(page(text)?.items == [])
        #expect(page(text).map { $0.nextLink == nil } == true)
    }

    @Test(
        "refuses what is no page",
        arguments: [
            "", "{}", "[]", "null", #"{"value":{}}"#, #"{"value":null}"#, #"{"value":[1]}"#, #"{"value":[null]}"#,
            "<html>",
            #"{"value":[],"@odata.nextLink":5}"#, #"{"value":[{}]"#,
        ]
    )
    func refused(text: String) {
        #expect(page(text) == nil)
    }

    @Test("reads a single item, and nothing that is none")
    func item() {
        #expect(GraphPage(item: Array(#"{"id":"1"}"#.utf8))?.items == [["id": "1"]])
        for text in ["", "[]", "null", "5", "<html>"] { #expect(GraphPage(item: Array(text.utf8)) == nil) }
    }
}

@Suite("Endpoints", .timeLimit(.minutes(1)))
struct EndpointsTests {
    @Test(
        "an origin is scheme, host and port",
        arguments: [
            ("https://graph.microsoft.com/v1.0/x?y#z", "https://graph.microsoft.com"),
            ("https://h:8443", "https://h:8443"),
            ("https://h?x=https://i/", "https://h"), ("https://h#https://i/", "https://h"),
            ("https://graph.microsoft.com@evil.example/v1.0", "https://graph.microsoft.com@evil.example"),
            ("https://graph.microsoft.com.evil.example/", "https://graph.microsoft.com.evil.example"),
            (#"https://graph.microsoft.com\@evil.example/"#, #"https://graph.microsoft.com\@evil.example"#),
            ("https://graph.microsoft.com:443/", "https://graph.microsoft.com:443"), ("no address", "no address"),
        ]
    )
    func origin(url: String, origin: String) {
        #expect(Endpoints.origin(of: url) == origin)
    }

    @Test(
        "knows what stays on this machine",
        arguments: [
            ("http://127.0.0.1", true), ("http://127.0.0.1:8080/x", true), ("http://localhost:1/", true),
            ("http://[::1]:8080", true),
            ("http://127.1.2.3/", true), ("http://127.0.0.1@evil.example", false),
            ("http://localhost@evil.example", false),
            ("http://localhost:x@evil.example", false), ("http://[::1]@evil.example/", false),
            ("http://127.0.0.1:1@evil.example", false), ("http://localhost.evil.example", false),
            ("http://127.0.0.1.evil.example", false), ("http://127.evil.example", false), ("http://127.0.0.1x/", false),
            ("http://10.0.0.1", false), ("http://128.0.0.1", false), ("http://evil.example/127.0.0.1", false),
            ("http://evil.example?localhost", false), (#"http://127.0.0.1\@evil.example"#, false), ("127.0.0.1", false),
            ("", false),
        ]
    )
    func loopback(url: String, expected: Bool) {
        #expect(Endpoints.isLoopback(url) == expected)
    }

    @Test("tokens are asked for the endpoint's own cloud; a stand-in on loopback is for the worldwide one")
    func resources() {
        #expect(Endpoints().resource(of: .graph) == "https://graph.microsoft.com")
        #expect(Endpoints().resource(of: .partnerCenter) == "https://api.partnercenter.microsoft.com")
        let other = Endpoints(partnerCenter: "http://127.0.0.1:9", graph: "https://graph.microsoft.us/v1.0")
        #expect(other.resource(of: .graph) == "https://graph.microsoft.us")
        #expect(other.resource(of: .partnerCenter) == "https://api.partnercenter.microsoft.com")
    }
}
