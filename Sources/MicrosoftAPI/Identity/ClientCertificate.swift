import ConsentContract
import Crypto
import CryptoExtras
import FoundationEssentials
import JSON

/// A certificate and its RSA key, with which an application signs assertions about itself
/// (learn.microsoft.com/entra/identity-platform/certificate-credentials).
package struct ClientCertificate: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// Why files are no certificate with its key. Safe to print.
    package struct Unusable: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// For how long an assertion is good. Microsoft takes at most ten minutes.
    static let lifetime = Duration.seconds(300)

    private let key: _RSA.Signing.PrivateKey
    /// SHA-256 of the certificate, by which the service finds it.
    private let thumbprint: String

    /// - Parameters:
    ///   - certificate: PEM; of a chain the first.
    ///   - key: PEM, RSA, without a passphrase.
    package init(certificate: String, key: String) throws(Unusable) {
        guard let der = Self.der(ofPEM: certificate) else {
            throw Unusable(description: "holds no certificate in PEM form")
        }
        do {
            self.key = try _RSA.Signing.PrivateKey(pemRepresentation: key)
        } catch {
            throw Unusable(description: "does not go with an RSA key of 2048 bits or more in PEM form")
        }
        // The certificate has the public key in just this form.
        guard der.firstRange(of: self.key.publicKey.pkcs1DERRepresentation) != nil else {
            throw Unusable(description: "and privateKeyFile do not belong together: the certificate is another key's")
        }
        thumbprint = Self.base64URL(Data(SHA256.hash(data: der)))
    }

    package static func == (one: ClientCertificate, other: ClientCertificate) -> Bool {
        one.thumbprint == other.thumbprint
    }

    // Neither shows the key.
    package var description: String { "certificate \(thumbprint)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }

    /// A signed statement that we are `applicationID`, for one token endpoint.
    func assertion(for applicationID: GUID, audience: String, now: Timestamp) throws(Unusable) -> String {
        let header: JSONValue = ["alg": "PS256", "typ": "JWT", "x5t#S256": .string(thumbprint)]
        let seconds = Int(now.milliseconds / 1000)
        let claims: JSONValue = [
            "aud": .string(audience),
            "iss": .string(applicationID.description),
            "sub": .string(applicationID.description),
            "jti": .string(GUID.random().description),
            "nbf": JSONValue(seconds),
            "iat": JSONValue(seconds),
            "exp": JSONValue(seconds + Int(Self.lifetime.components.seconds)),
        ]
        let signed = Self.base64URL(Data(header.bytes)) + "." + Self.base64URL(Data(claims.bytes))
        do {
            let signature = try key.signature(for: SHA256.hash(data: Data(signed.utf8)), padding: .PSS)
            return signed + "." + Self.base64URL(signature.rawRepresentation)
        } catch {
            throw Unusable(description: "cannot sign with its key")
        }
    }

    private static func der(ofPEM text: String) -> Data? {
        guard let begin = text.firstRange(of: "-----BEGIN CERTIFICATE-----"),
            let end = text[begin.upperBound...].firstRange(of: "-----END CERTIFICATE-----")
        else { return nil }
        return Data(base64Encoded: text[begin.upperBound..<end.lowerBound].filter { !$0.isWhitespace })
    }

    private static func base64URL(_ data: Data) -> String {
        String(data.base64EncodedString().compactMap { $0 == "=" ? nil : $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }
}
