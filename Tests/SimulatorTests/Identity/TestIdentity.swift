import CryptoExtras
import Foundation

@testable import partner_center_simulator

/// An RSA key and its self-signed certificate, made by openssl.
struct TestIdentity: Sendable {
    let keyPEM: String
    let certificatePEM: String
    let key: _RSA.Signing.PrivateKey
    let certificate: ApplicationCertificate

    /// Made once a run: keys take a while.
    static let application = Result { try TestIdentity() }
    static let other = Result { try TestIdentity() }

    private init() throws {
        let command = "req -x509 -newkey rsa:2048 -nodes -keyout - -out - -subj /CN=test -days 2"
        let text = String(decoding: try OpenSSL.run(command), as: UTF8.self)
        let begin = text.range(of: "-----BEGIN CERTIFICATE-----")?.lowerBound ?? text.endIndex
        keyPEM = String(text[..<begin])
        certificatePEM = String(text[begin...])
        key = try _RSA.Signing.PrivateKey(pemRepresentation: keyPEM)
        certificate = try ApplicationCertificate(pem: Array(certificatePEM.utf8))
    }
}

enum OpenSSL {
    struct Failure: Error {
        var command: String
        var status: Int32
    }

    /// Runs a command of openssl, which must be there, and returns what it printed.
    static func run(_ command: String, input: Data = Data()) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + command.split(separator: " ").map(String.init)
        let (standardInput, output) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: input)
        try standardInput.fileHandleForWriting.close()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(command: command, status: process.terminationStatus)
        }
        return printed
    }
}

/// A folder that lasts as long as `body` runs.
func withTemporaryFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "simulator-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}
