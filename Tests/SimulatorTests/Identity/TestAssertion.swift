import Crypto
import CryptoExtras
import FoundationEssentials

@testable import partner_center_simulator

/// A client assertion in the documented form, of which a test changes something before it is signed.
struct TestAssertion {
    static let endpoint = "https://localhost:1/\(TestValues.partner)/oauth2/v2.0/token"

    var header: [String: JSON]
    var claims: [String: JSON]
    /// From the header's and claims' text to a signature.
    var sign: (Data) throws -> Data

    init(by identity: TestIdentity, now: Int, endpoint: String = endpoint) {
        header = ["alg": "PS256", "typ": "JWT", "x5t#S256": .string(identity.certificate.thumbprint)]
        claims = [
            "aud": .string(endpoint), "iss": .string(TestValues.application), "sub": .string(TestValues.application),
            "jti": .string(Identifiers.guid()), "nbf": .integer(now), "iat": .integer(now), "exp": .integer(now + 300),
        ]
        sign = { try identity.key.signature(for: SHA256.hash(data: $0), padding: .PSS).rawRepresentation }
    }

    func text() throws -> String {
        let signed = [header, claims].map { Base64URL.encode(JSONText.encode($0)) }.joined(separator: ".")
        return "\(signed).\(Base64URL.encode(try sign(Data(signed.utf8))))"
    }
}
