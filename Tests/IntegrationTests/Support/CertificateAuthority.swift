import Foundation

/// Certificates for one test, made by the openssl command.
struct CertificateAuthority {
    let folder: String

    var caFile: String { "\(folder)/ca.pem" }

    func certificate(_ name: String) -> String { "\(folder)/\(name).pem" }

    func key(_ name: String) -> String { "\(folder)/\(name).key" }

    init() async throws {
        folder = try Checkout.temporaryFolder()
        try """
        [ca]
        default_ca = default
        [default]
        database = \(folder)/index.txt
        serial = \(folder)/serial
        new_certs_dir = \(folder)
        certificate = \(folder)/ca.pem
        private_key = \(folder)/ca.key
        default_md = sha256
        policy = any
        unique_subject = no
        copy_extensions = copy
        [any]
        commonName = supplied
        """.write(toFile: "\(folder)/openssl.cnf", atomically: true, encoding: .utf8)
        try "".write(toFile: "\(folder)/index.txt", atomically: true, encoding: .utf8)
        try "01".write(toFile: "\(folder)/serial", atomically: true, encoding: .utf8)
        try await openssl(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=Test CA",
            "-keyout",
            "\(folder)/ca.key",
            "-out",
            caFile
        )
    }

    /// A certificate of this authority.
    func issue(_ name: String, commonName: String, names: String, expired: Bool = false) async throws {
        try await openssl(
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=\(commonName)",
            "-addext",
            "subjectAltName=\(names)",
            "-keyout",
            key(name),
            "-out",
            "\(folder)/\(name).csr"
        )
        let (from, to) =
            expired ? ("20200101000000Z", "20200102000000Z") : ("20200101000000Z", "20490101000000Z")
        try await openssl(
            "ca",
            "-batch",
            "-config",
            "\(folder)/openssl.cnf",
            "-notext",
            "-startdate",
            from,
            "-enddate",
            to,
            "-in",
            "\(folder)/\(name).csr",
            "-out",
            certificate(name)
        )
    }

    /// A certificate that nobody vouches for.
    func selfSign(_ name: String, names: String) async throws {
        try await openssl(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=\(names)",
            "-keyout",
            key(name),
            "-out",
            certificate(name)
        )
    }

    func remove() throws { try FileManager.default.removeItem(atPath: folder) }

    private func openssl(_ arguments: String...) async throws {
        let result = try await ChildProcess.run("/usr/bin/openssl", arguments)
        if result.status != 0 { throw TestFailure("openssl \(arguments[0]): \(result.errors)") }
    }
}
