import CryptoExtras
import FoundationEssentials
import Testing

@testable import partner_center_simulator

@Suite struct ClientAssertionTests {
    private let now: Int
    private let identity: TestIdentity
    private let other: TestIdentity

    init() throws {
        identity = try TestIdentity.application.get()
        other = try TestIdentity.other.get()
        // Not before the certificates are made: they are valid from that second on.
        now = UTCTime.now().seconds
    }

    /// What the assertion is refused for; nil if it passes.
    private func findRefusal(
        at time: Int? = nil,
        certificate: Bool = true,
        changing change: (inout TestAssertion) -> Void = { _ in }
    ) throws -> TokenError? {
        var assertion = TestAssertion(by: identity, now: time ?? now)
        change(&assertion)
        let text = try assertion.text()
        do throws(TokenError) {
            try ClientAssertion(text).check(
                with: certificate ? identity.certificate : nil,
                against: .init(client: TestValues.application, endpoint: TestAssertion.endpoint, now: time ?? now)
            )
            return nil
        } catch {
            return error
        }
    }

    @Test func `an assertion in the documented form passes`() throws {
        #expect(try findRefusal() == nil)
    }

    @Test(arguments: [
        ("alg", "RS256", 50027, "alg"), ("alg", "none", 50027, "alg"), ("alg", "HS256", 50027, "alg"),
        ("typ", "jwt", 50027, "typ"), ("x5t#S256", "x", 700027, "x5t#S256"),
    ])
    func `another header is refused`(name: String, value: String, code: Int, word: String) throws {
        let refusal = try #require(try findRefusal { $0.header[name] = .string(value) })
        #expect(refusal.error == "invalid_client")
        #expect(refusal.status == 401)
        #expect(refusal.code == code)
        #expect(refusal.description.contains(word))
    }

    @Test(arguments: [
        ("iss", TestValues.otherApplication, 700021, "iss"), ("sub", TestValues.otherApplication, 700021, "sub"),
        ("aud", "http://localhost:1/\(TestValues.partner)/oauth2/v2.0/token", 700023, "aud"),
        ("aud", "https://localhost/\(TestValues.partner)/oauth2/v2.0/token", 700023, "aud"),
        ("aud", "https://localhost:1/\(TestValues.customer)/oauth2/v2.0/token", 700023, "aud"),
        ("aud", "https://localhost:1/\(TestValues.partner)/oauth2/token", 700023, "aud"),
        ("aud", TestAssertion.endpoint + "/", 700023, "aud"), ("jti", "", 50027, "jti"),
    ])
    func `other claims are refused`(name: String, value: String, code: Int, word: String) throws {
        let refusal = try #require(try findRefusal { $0.claims[name] = .string(value) })
        #expect(refusal.error == "invalid_client")
        #expect(refusal.status == 401)
        #expect(refusal.code == code)
        #expect(refusal.description.contains(word))
    }

    @Test(
        arguments: [
            (["exp": 0], "exp is over"), (["exp": 1], nil), (["exp": 600], nil), (["exp": 601], "exp is more than"),
            (["nbf": 300], nil), (["nbf": 301], "nbf is more than"), (["iat": 300], nil),
            (["iat": 301], "iat is more than"), (["iat": -301], "exp is more than"), (["iat": -300], nil),
        ] as [([String: Int], String?)]
    )
    func `times are held to the second`(offsets: [String: Int], problem: String?) throws {
        let refusal = try findRefusal { assertion in
            for (name, offset) in offsets { assertion.claims[name] = .integer(now + offset) }
        }
        #expect(refusal?.code == problem.map { _ in 700024 })
        #expect(refusal?.description.contains(problem ?? "-") == problem.map { _ in true })
    }

    @Test(arguments: ["alg", "typ", "x5t#S256", "aud", "iss", "sub", "jti", "nbf", "iat", "exp"])
    func `a missing member is named`(name: String) throws {
        let refusal = try findRefusal { assertion in
            assertion.header[name] = nil
            assertion.claims[name] = nil
        }
        #expect(refusal?.code == 50027)
        #expect(refusal?.description.contains("'\(name)'") == true)
    }

    @Test func `another key under the right thumbprint is refused`() throws {
        let refusal = try findRefusal { $0.sign = TestAssertion(by: other, now: now).sign }
        #expect(refusal?.code == 700027)
        #expect(refusal?.description.contains("invalid signature") == true)
    }

    @Test func `a signature by the right key in PKCS1 form is refused`() throws {
        let refusal = try findRefusal { assertion in
            assertion.sign = { try identity.key.signature(for: $0, padding: .insecurePKCS1v1_5).rawRepresentation }
        }
        #expect(refusal?.code == 700027)
    }

    @Test(arguments: [(32, nil), (20, 700027), (0, 700027)])
    func `openssl's signature passes with a salt of 32 bytes only`(salt: Int, code: Int?) throws {
        let refusal = try withTemporaryFolder { folder in
            let key = folder.appending(path: "key.pem")
            try identity.keyPEM.write(to: key, atomically: true, encoding: .utf8)
            return try findRefusal { assertion in
                assertion.sign = { data in
                    let padding = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:\(salt)"
                    return try OpenSSL.run("dgst -sha256 -sign \(key.path) \(padding)", input: data)
                }
            }
        }
        #expect(refusal?.code == code)
    }

    @Test func `what was changed after signing is refused`() throws {
        let signed = try TestAssertion(by: identity, now: now).text().split(separator: ".")
        let changed = try findRefusal { $0.sign = { _ in Base64URL.decode(signed[2]) ?? Data() } }
        #expect(changed?.code == 700027)
    }

    @Test func `a certificate outside its time is refused`() throws {
        #expect(try findRefusal(at: now + 3 * 86400)?.description.contains("expired") == true)
        #expect(try findRefusal(at: now - 86400)?.code == 700027)
    }

    @Test func `without a certificate in the plan nothing passes`() throws {
        let refusal = try findRefusal(certificate: false)
        #expect(refusal?.code == 700027)
        #expect(refusal?.description.contains("plan must name") == true)
    }

    @Test(arguments: ["x", "a.b", "a.b.c.d", "..", "e30.e30.=", "e30=.e30.x", "!.e30.xx", "W10.e30.xx"])
    func `what is no signed JWT is refused`(text: String) {
        let error = #expect(throws: TokenError.self) { try ClientAssertion(text) }
        #expect(error?.code == 50027)
    }
}
