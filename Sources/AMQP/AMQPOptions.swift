/// How connections are made and kept.
package struct AMQPOptions: Sendable, Hashable {
    /// Silence after which the other side is taken for dead, negotiated with the broker. At least a second.
    package var heartbeat: Duration = .seconds(10)
    /// For name, TCP, TLS and login together.
    package var connectTimeout: Duration = .seconds(10)
    /// For the broker's answer to a request such as a declare.
    package var replyTimeout: Duration = .seconds(30)
    /// The largest body that is assembled; larger ones arrive as `tooLarge`.
    package var maximumBodyBytes: UInt64 = 4 << 20
    package var tls: TLS = TLS()

    package init() {}

    package struct TLS: Sendable, Hashable {
        /// Trusted authorities as PEM. librabbitmq 0.11 has no default of its own, so the system's bundle is named.
        package var caFile = "/etc/ssl/certs/ca-certificates.crt"
        package var certificateFile: String?
        package var keyFile: String?
        /// Off only by the operator's explicit `insecure`.
        package var verifies = true

        package init() {}
    }
}
