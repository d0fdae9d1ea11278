import ConsentContract
import HTTP
import MicrosoftAPI
import Testing
import Tracing

@testable import ConsentWorker

@Suite("Attributes of requests", .timeLimit(.minutes(1)))
struct RequestAttributesTests {
    @Test(arguments: [
        ("https://graph.microsoft.com/v1.0/x?$skiptoken=secret", "graph.microsoft.com", 443),
        ("http://127.0.0.1:8080/x", "127.0.0.1", 8080), ("http://[::1]:8080/x", "::1", 8080),
        ("http://[::1]/x", "::1", 80), ("https://host", "host", 443),
    ])
    func theServerIsNamedAndTheQueryIsNot(url: String, host: String, port: Int) {
        let identity = RequestIdentity(requestID: .random(), correlationID: .random(), trace: nil)
        let attributes = GraphRequests.next(url, tenant: .random(), as: identity).attributes
        #expect(attributes.get("server.address") == .string(host))
        #expect(attributes.get("server.port") == .int64(Int64(port)))
        #expect(attributes.get("url.full") == .string(String(url.prefix { $0 != "?" })))
        #expect(attributes.get("consent.request_id") == .string("\(identity.requestID)"))
    }
}
