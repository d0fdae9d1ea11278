import Crypto
import CryptoExtras
import FoundationEssentials
import NIOSSL

/// The certificate with which an application signs its assertions.
struct ApplicationCertificate: Sendable {
    /// base64url of the SHA-256 of its DER, as `x5t#S256` names it.
    let thumbprint: String
    /// From when until when it is good, in seconds of the wall clock.
    let validity: ClosedRange<Int>
    private let key: _RSA.Signing.PublicKey

    struct Unusable: Error {
        var message: String
    }

    /// - Parameter pem: the first certificate counts, whatever else is there.
    init(pem: [UInt8]) throws(Unusable) {
        guard let certificate = try? NIOSSLCertificate.fromPEMBytes(pem).first else {
            throw Unusable(message: "there is no certificate in PEM form")
        }
        do {
            thumbprint = Base64URL.encode(Data(SHA256.hash(data: try certificate.toDERBytes())))
            key = try _RSA.Signing.PublicKey(derRepresentation: try certificate.extractPublicKey().toSPKIBytes())
        } catch {
            throw Unusable(message: "the certificate has no RSA key of 2048 bits or more")
        }
        let begin = Int(certificate.notValidBefore)
        validity = begin...max(begin, Int(certificate.notValidAfter))
    }

    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of exactly 32 bytes.
    func verifies(_ signature: Data, of signed: Data) -> Bool {
        key.isValidSignature(.init(rawRepresentation: signature), for: SHA256.hash(data: signed), padding: .PSS)
    }
}

extension ApplicationCertificate: Decodable {
    /// The PEM text itself, or a file with it; a relative path starts at the plan's folder.
    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        let pem: [UInt8]
        if text.contains("-----BEGIN") {
            pem = Array(text.utf8)
        } else {
            let folder = decoder.userInfo[JSONText.folder] as? URL
            guard let data = try? Data(contentsOf: URL(filePath: text, relativeTo: folder)) else {
                throw decoder.refuse("the certificate file '\(text)' cannot be read")
            }
            pem = Array(data)
        }
        do throws(Unusable) {
            try self.init(pem: pem)
        } catch {
            throw decoder.refuse(error.message)
        }
    }
}
