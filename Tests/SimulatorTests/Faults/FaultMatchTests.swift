import Testing

@testable import partner_center_simulator

@Suite struct FaultMatchTests {
    private let subject = Subject(application: TestValues.application, customer: TestValues.customer)

    private func matches(_ match: String) throws -> Bool {
        let faults = try TestValues.faults(#"[{"action": {"reset": {}}, "match": \#(match)}]"#)
        return faults[0].match.matches(TestValues.grantCall(), subject: subject)
    }

    @Test(arguments: [
        "{}", #"{"kind": "grant"}"#, #"{"method": "post"}"#, #"{"path": "/applicationconsents"}"#,
        #"{"application": "11111111-1111-4111-8111-111111111111"}"#,
        #"{"kind": "grant", "customer": "33333333-3333-4333-8333-333333333333", "method": "POST"}"#,
    ])
    func `a request that agrees in everything given is met`(match: String) throws {
        #expect(try matches(match))
    }

    @Test(arguments: [
        #"{"kind": "revoke"}"#, #"{"method": "DELETE"}"#, #"{"path": "/token"}"#,
        #"{"application": "11111111-1111-4111-8111-222222222222"}"#,
        // The request shows no partner, so it cannot be this one.
        #"{"partner": "22222222-2222-4222-8222-222222222222"}"#,
        #"{"kind": "grant", "method": "DELETE"}"#,
    ])
    func `a request that differs in anything given is not met`(match: String) throws {
        #expect(try !matches(match))
    }
}
