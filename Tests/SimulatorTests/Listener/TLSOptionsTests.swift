import ArgumentParser
import Foundation
import Testing

@testable import partner_center_simulator

@Suite struct TLSOptionsTests {
    private let identity: TestIdentity

    init() throws {
        identity = try TestIdentity.application.get()
    }

    /// What is wrong with the files of these contents; nil if nothing is.
    private func problem(certificate: String?, key: String?) throws -> String? {
        try withTemporaryFolder { folder in
            let files = try [("certificate.pem", certificate), ("key.pem", key)].map { name, text in
                let file = folder.appending(path: name)
                try text?.write(to: file, atomically: true, encoding: .utf8)
                return file.path
            }
            let options = try TLSOptions.parse(["--tls-certificate", files[0], "--tls-key", files[1]])
            do throws(TLSOptions.Unusable) {
                return try options.context() == nil ? "no TLS" : nil
            } catch {
                return error.message
            }
        }
    }

    @Test func `a certificate, or a chain, and its key are taken`() throws {
        let other = try TestIdentity.other.get()
        #expect(try problem(certificate: identity.certificatePEM, key: identity.keyPEM) == nil)
        let chain = identity.certificatePEM + other.certificatePEM
        #expect(try problem(certificate: chain, key: identity.keyPEM) == nil)
    }

    @Test func `what cannot be used is said with the file`() throws {
        let (certificate, key) = (identity.certificatePEM, identity.keyPEM)
        let otherKey = try TestIdentity.other.get().keyPEM
        #expect(try problem(certificate: nil, key: key)?.hasSuffix("certificate.pem cannot be read.") == true)
        #expect(try problem(certificate: certificate, key: nil)?.hasSuffix("key.pem cannot be read.") == true)
        #expect(try problem(certificate: key, key: key)?.contains("holds no certificate") == true)
        #expect(try problem(certificate: certificate, key: certificate)?.contains("no private key") == true)
        #expect(try problem(certificate: certificate, key: otherKey)?.contains("does not belong") == true)
    }

    @Test(arguments: [["--tls-certificate", "x"], ["--tls-key", "x"]])
    func `one without the other is wrong usage`(arguments: [String]) throws {
        let error = #expect(throws: (any Error).self) { try SimulatorCommand.parse(arguments) }
        #expect(error.map { SimulatorCommand.exitCode(for: $0) } == .validationFailure)
        #expect(ExitCode.validationFailure.rawValue == 64)
    }

    @Test func `without them it is plain HTTP`() throws {
        #expect(try TLSOptions.parse([]).context() == nil)
        #expect(try TLSOptions.parse([]).scheme == "http")
        #expect(try TLSOptions.parse(["--tls-certificate", "x", "--tls-key", "y"]).scheme == "https")
    }
}
