import HTTPTypes
import Testing

@testable import partner_center_simulator

@Suite struct HTTPTests {
    @Test func `forms are decoded, with plus as a blank`() {
        let fields = FormFields("a=1+2&b=%27x%27&c&d=e=f&a=3")
        #expect(fields["a"] == "1 2")
        #expect(fields["b"] == "'x'")
        #expect(fields["c"] == "")
        #expect(fields["d"] == "e=f")
        #expect(fields["e"] == nil)
    }

    @Test(arguments: ["a b", "100%", "ü/?&=", "'$'"])
    func `what is encoded is decoded to the same`(text: String) {
        #expect(FormFields.decoded(FormFields.encoded(text)) == text)
    }

    @Test func `a percent sign alone stays as it is`() {
        #expect(FormFields.decoded("50%zz%4") == "50%zz%4")
    }

    @Test func `moments are written in each API's form`() {
        let time = UTCTime(seconds: 784_111_777, nanoseconds: 1_234_500)
        #expect(time.httpDate == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(time.tokenErrorTimestamp == "1994-11-06 08:49:37Z")
        #expect(time.withSevenDigits == "1994-11-06T08:49:37.0012345Z")
    }

    @Test func `a GUID is taken in any case and nothing else is one`() {
        #expect(Identifiers.normalizedGUID("ABCDEF00-0000-0000-C000-000000000000") != nil)
        #expect(Identifiers.normalizedGUID("ABCDEF00-0000-0000-C000-00000000000") == nil)
        #expect(Identifiers.normalizedGUID("ABCDEF00-0000-0000-C000-00000000000g") == nil)
        #expect(Identifiers.normalizedGUID("ABCDEF00x0000-0000-C000-000000000000") == nil)
    }

    @Test func `paths lead to their routes`() {
        #expect(Destination(method: .post, path: "/t/oauth2/v2.0/token") == .token(tenant: "t"))
        #expect(Destination(method: .post, path: "/v1/customers/c/applicationconsents") == .grant(customer: "c"))
        let revoke = Destination(method: .delete, path: "/v1/customers/c/applicationconsents/a")
        #expect(revoke == .revoke(customer: "c", application: "a"))
        #expect(Destination(method: .get, path: "/beta/x/y") == .graph(["beta", "x", "y"]))
        #expect(Destination(method: .get, path: "/_sim/arrivals") == .control(["arrivals"]))
        #expect(Destination(method: .get, path: "/v1/customers/c/applicationconsents") == nil)
        #expect(Destination(method: .post, path: "/v1.0/x/y") == nil)
    }
}
