import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// Who is believed to be who, on both sides of the worker.
    @Suite(.timeLimit(.minutes(5)))
    struct TransportSecurityTests {
        private static let names = "DNS:localhost,IP:127.0.0.1"

        private func withAuthority(_ body: (CertificateAuthority) async throws -> Void) async throws {
            let authority = try await CertificateAuthority()
            try await body(authority)
            try authority.remove()
        }

        private func grantOverHTTPS(
            _ authority: CertificateAuthority,
            _ name: String,
            host: String = "localhost",
            caFile: String? = nil
        ) async throws -> Platform.Event {
            var event: Platform.Event?
            let arguments = ["--tls-certificate", authority.certificate(name), "--tls-key", authority.key(name)]
            try await Scene.run(simulator: arguments) { scene in
                let url = "https://\(host):\(scene.simulator.port)"
                try scene.configure(
                    top: [
                        "retry: {maxAttempts: 2, base: 5ms, cap: 10ms}",
                        "http: {tls: {caFile: \"\(caFile ?? authority.caFile)\"}}",
                    ],
                    endpoint: url
                )
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        event = try await platform.event(platform.publish(platform.command("grant")))
                        _ = try await platform.takeDeadLetters()
                    }
                }
            }
            return try #require(event)
        }

        @Test func commandsGoOverVerifiedHTTPS() async throws {
            try await withAuthority { authority in
                try await authority.issue("good", commonName: "localhost", names: Self.names)
                let event = try await grantOverHTTPS(authority, "good")
                #expect(event.outcome == "succeeded", "\(event.json.text)")
            }
        }

        @Test func certificatesThatDoNotHoldAreRefusedByName() async throws {
            try await withAuthority { authority in
                try await authority.issue("expired", commonName: "localhost", names: Self.names, expired: true)
                try await authority.issue("foreign", commonName: "elsewhere", names: "DNS:elsewhere.example")
                try await authority.selfSign("self", names: Self.names)
                for (name, words) in [("expired", "expired"), ("foreign", "subject name"), ("self", "self-signed")] {
                    let event = try await grantOverHTTPS(authority, name)
                    #expect(event.outcome == "failed" && event.category == "tlsVerificationFailed", "\(name)")
                    let message = event.data["error"]?["message"]?.string ?? ""
                    #expect(message.contains(words), "\(name): \(message)")
                }
            }
        }

        // MARK: - AMQP

        private func tlsBroker(_ authority: CertificateAuthority, _ name: String) async throws -> PrivateBroker {
            try await PrivateBroker(
                plugins: ["rabbitmq_auth_mechanism_ssl"],
                configuration: { port in
                    [
                        "listeners.ssl.1 = 127.0.0.1:\(port)", "ssl_options.cacertfile = \(authority.caFile)",
                        "ssl_options.certfile = \(authority.certificate(name))",
                        "ssl_options.keyfile = \(authority.key(name))", "ssl_options.verify = verify_peer",
                        "ssl_options.fail_if_no_peer_cert = true", "auth_mechanisms.1 = PLAIN",
                        "auth_mechanisms.2 = EXTERNAL", "ssl_cert_login_from = common_name",
                    ]
                }
            )
        }

        private func declare(
            _ broker: PrivateBroker,
            _ url: String,
            _ authority: CertificateAuthority,
            client: String?,
            caFile: String? = nil
        ) async throws -> ChildProcess.Result {
            var result: ChildProcess.Result?
            try await Scene.run(broker: broker) { scene in
                try scene.configure()
                try await scene.declareTopology()
                var tls = "caFile: \"\(caFile ?? authority.caFile)\""
                if let client {
                    tls +=
                        ", certificateFile: \"\(authority.certificate(client))\", keyFile: \"\(authority.key(client))\""
                }
                try scene.configure(amqp: "amqp: {url: \"\(url)\", tls: {\(tls)}}")
                result = try await scene.commandLine("declare-topology")
            }
            return try #require(result)
        }

        @Test func theBrokerIsVerifiedAndAClientCertificateSpeaksForTheWorker() async throws {
            try await withAuthority { authority in
                try await authority.issue("broker", commonName: "localhost", names: Self.names)
                try await authority.issue("worker", commonName: "consent", names: "DNS:consent")
                let broker = try await tlsBroker(authority, "broker")
                do {
                    let port = broker.tlsPort
                    try await broker.ctl("add_user", "consent", "unused")
                    try await broker.ctl("set_permissions", "consent", ".*", ".*", ".*")
                    let external = try await declare(broker, "amqps://localhost:\(port)", authority, client: "worker")
                    #expect(external.status == 0, "\(external)")
                    let plain = try await declare(
                        broker,
                        "amqps://guest:guest@localhost:\(port)",
                        authority,
                        client: "worker"
                    )
                    #expect(plain.status == 0, "\(plain)")
                    let anonymous = try await declare(
                        broker,
                        "amqps://guest:guest@localhost:\(port)",
                        authority,
                        client: nil
                    )
                    #expect(anonymous.status == 69 && anonymous.errors.contains("certificate"), "\(anonymous)")
                    let foreignCA = try await CertificateAuthority()
                    let untrusted = try await declare(
                        broker,
                        "amqps://guest:guest@localhost:\(port)",
                        authority,
                        client: "worker",
                        caFile: foreignCA.caFile
                    )
                    #expect(
                        untrusted.status == 69 && untrusted.errors.contains("is refused: self-signed certificate in"),
                        "\(untrusted)"
                    )
                    try foreignCA.remove()
                } catch {
                    try await broker.remove()
                    throw error
                }
                try await broker.remove()
            }
        }

        @Test(arguments: [("expired", "expired"), ("foreign", "hostname mismatch"), ("self", "self-signed")])
        func aBrokerWhoseCertificateDoesNotHoldIsRefusedByName(name: String, words: String) async throws {
            try await withAuthority { authority in
                switch name {
                case "expired":
                    try await authority.issue(name, commonName: "localhost", names: Self.names, expired: true)
                case "foreign":
                    try await authority.issue(name, commonName: "elsewhere.example", names: "DNS:elsewhere.example")
                default: try await authority.selfSign(name, names: Self.names)
                }
                try await authority.issue("worker", commonName: "consent", names: "DNS:consent")
                let broker = try await tlsBroker(authority, name)
                do {
                    let result = try await declare(
                        broker,
                        "amqps://guest:guest@localhost:\(broker.tlsPort)",
                        authority,
                        client: "worker"
                    )
                    #expect(result.status == 69 && result.errors.contains(words), "\(result)")
                } catch {
                    try await broker.remove()
                    throw error
                }
                try await broker.remove()
            }
        }
    }
}
