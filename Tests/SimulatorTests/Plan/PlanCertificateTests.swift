import Foundation
import Testing

@testable import partner_center_simulator

@Suite struct PlanCertificateTests {
    private func load(certificate: String, files: [String: String] = [:]) throws -> ApplicationCertificate? {
        try withTemporaryFolder { folder in
            for (name, text) in files {
                try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
            }
            let application: JSON = [
                "clientId": .string(TestValues.application), "certificate": .string(certificate),
            ]
            let plan = folder.appending(path: "plan.json")
            try JSONText.encode(["applications": [application]]).write(to: plan)
            return try SimulationPlan.load(from: plan.path).applications[0].certificate
        }
    }

    @Test func `a certificate stands in the plan or in a file beside it`() throws {
        let identity = try TestIdentity.application.get()
        let inline = try load(certificate: identity.certificatePEM)
        // A file that holds the key too is common.
        let beside = try load(certificate: "a.pem", files: ["a.pem": identity.keyPEM + identity.certificatePEM])
        #expect(inline?.thumbprint == identity.certificate.thumbprint)
        #expect(beside?.thumbprint == identity.certificate.thumbprint)
    }

    @Test func `the thumbprint is the one that openssl computes`() throws {
        let identity = try TestIdentity.application.get()
        let input = Data(identity.certificatePEM.utf8)
        let printed = try OpenSSL.run("x509 -noout -fingerprint -sha256", input: input)
        let digits = String(decoding: printed, as: UTF8.self).drop { $0 != "=" }.filter(\.isHexDigit)
        let ours = try #require(Base64URL.decode(identity.certificate.thumbprint))
        #expect(ours.map { String(format: "%02X", $0) }.joined() == digits)
    }

    @Test func `what cannot be used is said with its place`() throws {
        let error = #expect(throws: DecodingError.self) { try load(certificate: "a.pem") }
        let text = error.map { JSONText.explain($0) } ?? ""
        #expect(text.contains("/applications/0/certificate: the certificate file 'a.pem' cannot be read"))
        let empty = #expect(throws: DecodingError.self) { try load(certificate: "a.pem", files: ["a.pem": "x"]) }
        #expect(empty.map { JSONText.explain($0).contains("no certificate in PEM form") } == true)
    }

    @Test func `a certificate without RSA key is refused`() throws {
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout -"
        let printed = try OpenSSL.run("req -x509 \(key) -out - -subj /CN=test")
        let error = #expect(throws: DecodingError.self) {
            try load(certificate: String(decoding: printed, as: UTF8.self))
        }
        #expect(error.map { JSONText.explain($0).contains("no RSA key") } == true)
    }
}
