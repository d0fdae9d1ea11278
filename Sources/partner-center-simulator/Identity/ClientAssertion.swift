import FoundationEssentials

/// A JWT with which an application authenticates by certificate, as documented under
/// learn.microsoft.com/entra/identity-platform/certificate-credentials.
struct ClientAssertion {
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    struct Header: Decodable {
        var alg: String
        var typ: String
        var thumbprint: String

        enum CodingKeys: String, CodingKey {
            case alg, typ
            case thumbprint = "x5t#S256"
        }
    }

    struct Claims: Decodable {
        var aud: String
        var iss: String
        var sub: String
        var jti: String
        var nbf: Int
        var iat: Int
        var exp: Int
    }

    let header: Header
    let claims: Claims
    let signature: Data
    /// What the signature is over: header and claims as they were sent.
    let signed: Data

    init(_ text: String) throws(TokenError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Base64URL.decode(parts[2]) else {
            throw Self.malformed("it must have three parts in base64url, with dots between them")
        }
        header = try Self.decode(Header.self, from: parts[0], called: "header")
        claims = try Self.decode(Claims.self, from: parts[1], called: "claims")
        self.signature = signature
        signed = Data("\(parts[0]).\(parts[1])".utf8)
    }

    static func malformed(_ problem: String) -> TokenError {
        TokenError(error: "invalid_client", code: 50027, description: "Invalid JWT token: \(problem).")
    }

    private static func decode<Part: Decodable>(
        _ type: Part.Type,
        from text: Substring,
        called name: String
    ) throws(TokenError) -> Part {
        guard let data = Base64URL.decode(text) else { throw malformed("its \(name) are not in base64url") }
        do {
            return try JSONText.decode(type, from: data)
        } catch {
            throw malformed("in its \(name): \(JSONText.explain(error))")
        }
    }
}
