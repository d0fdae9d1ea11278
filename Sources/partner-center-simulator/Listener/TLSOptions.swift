import ArgumentParser
import FoundationEssentials
import NIOSSL

/// The options that make the listener speak HTTPS instead of HTTP.
struct TLSOptions: ParsableArguments {
    @Option(
        help: "A PEM file with the server's certificate and its chain: the listener then speaks HTTPS only.",
        completion: .file()
    )
    var tlsCertificate: String?

    @Option(help: "A PEM file with the certificate's key, without a passphrase.", completion: .file())
    var tlsKey: String?

    /// What is wrong with the files, in one sentence.
    struct Unusable: Error, Equatable {
        var message: String
    }

    var scheme: String { tlsCertificate == nil ? "http" : "https" }

    func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together: give both or neither.")
        }
    }

    /// What new connections are set up with; nil for plain HTTP.
    func context() throws(Unusable) -> NIOSSLContext? {
        guard let tlsCertificate, let tlsKey else { return nil }
        let chain: [NIOSSLCertificate]
        let certificateBytes = try read(tlsCertificate)
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(certificateBytes)
        } catch {
            throw Unusable(message: "The file \(tlsCertificate) holds no certificate in PEM form.")
        }
        let key: NIOSSLPrivateKey
        let keyBytes = try read(tlsKey)
        do {
            key = try NIOSSLPrivateKey(bytes: keyBytes, format: .pem)
        } catch {
            throw Unusable(message: "The file \(tlsKey) holds no private key in PEM form without a passphrase.")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw Unusable(message: "The key \(tlsKey) does not belong to the certificate \(tlsCertificate).")
        }
    }

    private func read(_ path: String) throws(Unusable) -> [UInt8] {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw Unusable(message: "The file \(path) cannot be read.")
        }
        return Array(data)
    }
}
