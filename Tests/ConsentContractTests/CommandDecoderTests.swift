import ConsentContract
import JSON
import Testing

@Suite("Command decoder", .timeLimit(.minutes(1)))
struct CommandDecoderTests {
    private static let head =
        #""commandId":"7d0f9d2e-1111-4222-8333-444455556666","partnerTenantId":"5d0c7a3e-9b41-4f26-8e57-c21b6f0d9a84","#
        + #""customerId":"e83f14b6-2c7d-4a95-b0d8-647fa91c3e52","applicationId":"11111111-1111-4111-8111-111111111111""#

    private func decode(_ members: String) throws(Rejection) -> Command {
        try CommandDecoder.decode(Array("{\(Self.head),\(members)}".utf8))
    }

    private func faults(_ members: String) -> [String] {
        do {
            _ = try decode(members)
            return []
        } catch {
            return error.faults.map(\.pointer.description)
        }
    }

    private func grant(scope: String) -> String {
        #""command":"grant","applicationGrants":[{"enterpriseApplicationId":"00000003-0000-0000-c000-000000000000","#
            + #""scope":\#(JSONValue(scope).text)}]"#
    }

    @Test("keeps scopes in their order, without the blanks around them")
    func scopes() throws {
        let command = try decode(grant(scope: " User.Read ,\tMail.Read,a!b\u{7E}"))
        guard case .grant(let grants) = command.action else {
            Issue.record("not a grant")
            return
        }
        #expect(grants.map(\.scopes) == [["User.Read", "Mail.Read", "a!b~"]])
    }

    @Test(
        "refuses scopes that hide something",
        arguments: [
            "a,\u{301}b", "a\u{301}", "a\r\nb", "a\u{0}", "a,\u{A0}", "a\"b", "a\\b", "a\u{7F}", "OPENID",
            "a, Profile ",
        ]
    )
    func hostileScopes(scope: String) {
        #expect(faults(grant(scope: scope)) == ["/applicationGrants/0/scope"])
    }

    @Test("reads every option of a query")
    func query() throws {
        let command = try decode(
            #""command":"query","query":{"operation":"list","filter":{"appDisplayName":"O'Neil"},"orderBy":"appId desc","#
                + #""top":1000,"include":["userConsentRequests"]},"customerTenantId":"2f6b9d10-73ce-4c58-a4e1-0b95d83f7c26""#
        )
        guard case .query(let query) = command.action, case .list(let filter, let order, let top) = query.operation
        else {
            Issue.record("not a list")
            return
        }
        #expect(filter.appDisplayName == "O'Neil")
        #expect(order?.property == "appId")
        #expect(order?.descending == true)
        #expect(top == 1000)
        #expect(query.includes == [.userConsentRequests])
        #expect(command.tenantID.description == "2f6b9d10-73ce-4c58-a4e1-0b95d83f7c26")
    }

    @Test("an empty include is none")
    func emptyInclude() throws {
        let command = try decode(#""command":"query","query":{"operation":"list","include":[]}"#)
        guard case .query(let query) = command.action else {
            Issue.record("not a query")
            return
        }
        #expect(query.includes.isEmpty)
        #expect(command.tenantID == command.customerID)
    }

    @Test("judges neither grants nor query where the command is unknown")
    func unknownKind() {
        #expect(faults(#""command":"replace","applicationGrants":5,"query":5,"displayName":5"#) == ["/command"])
        #expect(faults(#""applicationGrants":[],"query":null"#) == ["/command"])
    }

    @Test("a display name is a grant's affair")
    func displayName() {
        #expect(faults(#""command":"revoke","displayName":5"#) == [])
        #expect(faults(grant(scope: "a") + #","displayName":"""#) == ["/displayName"])
    }

    @Test("the partner's own tenant is named beside other faults, in either member")
    func ownTenant() {
        let own = #""customerTenantId":"5D0C7A3E-9B41-4F26-8E57-C21B6F0D9A84","command":"query","query":"#
        #expect(faults(own + #"{"operation":"list"}"#) == ["/customerTenantId"])
        #expect(faults(own + "5") == ["/query", "/customerTenantId"])
    }

    @Test(
        "a member given twice is a fault wherever it is",
        arguments: [
            (#""x":1,"x":2,"x":3"#, ["/x"]), (#""x":[{"y":{"~":1,"~":1}}]"#, ["/x/0/y/~0"]),
            (#""x":{"/\u0301":1,"/\u0301":1}"#, ["/x/~1\u{301}"]), (#""commandId":1"#, ["/commandId"]),
        ]
    )
    func duplicates(members: String, pointers: [String]) {
        #expect(faults(#""command":"revoke",\#(members)"#) == pointers)
    }

    @Test("what is read of a refused command is what is valid in it")
    func readable() {
        let rejection = #expect(throws: Rejection.self) {
            try CommandDecoder.decode(
                Array(
                    #"{"command":"revoke","commandId":"7D0F9D2E-1111-4222-8333-444455556666","customerId":5,"requestedBy":"me"}"#
                        .utf8
                )
            )
        }
        #expect(rejection?.readable.kind == .revoke)
        #expect(rejection?.readable.commandID?.description == "7d0f9d2e-1111-4222-8333-444455556666")
        #expect(rejection?.readable.customerID == nil)
        #expect(rejection?.readable.requestedBy == "me")
    }

    @Test("a body of 64 KiB is read, one byte more is not")
    func size() throws {
        let text = "{\(Self.head),\"command\":\"revoke\"}"
        let padding = String(repeating: " ", count: CommandDecoder.maximumBodyBytes - text.utf8.count)
        _ = try CommandDecoder.decode(Array((text + padding).utf8))
        let rejection = #expect(throws: Rejection.self) {
            try CommandDecoder.decode(Array((text + padding + " ").utf8))
        }
        #expect(rejection?.category == .bodyTooLarge)
    }

    @Test(
        "a small body with very many faults makes no large event",
        arguments: [
            String(repeating: #""a":1,"a":1,"#, count: 3) + #""include":0"#,
            (0..<2500).map { #""\#($0)":1,"\#($0)":1"# }.joined(separator: ","),
            #""\#(String(repeating: "n", count: 30_000))":{"#
                + (0..<800).map { #""\#($0)":1,"\#($0)":1"# }.joined(separator: ",")
                + "}",
            #""query":{"operation":"list","include":[\#(Array(repeating: "1", count: 20_000).joined(separator: ","))]}"#,
        ]
    )
    func manyFaults(members: String) {
        let rejection = #expect(throws: Rejection.self) { try decode(#""command":"query",\#(members)"#) }
        #expect((rejection?.faults.count ?? 0) <= CommandDecoder.maximumFaults)
        let error = rejection.map { CommandError($0).json.bytes.count } ?? .max
        #expect(error < 1 << 18)
    }
}
