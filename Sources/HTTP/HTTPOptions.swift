/// How the client connects and what it accepts.
package struct HTTPOptions: Sendable, Hashable {
    /// For name, TCP and TLS together.
    package var connectTimeout: Duration = .seconds(5)
    package var maximumHeaderBytes = 64 << 10
    package var maximumBodyBytes = 16 << 20
    /// Idle connections kept for later requests; at least the concurrency to be served without reconnecting.
    package var maximumConnections = 256
    /// Trusted authorities as PEM; nil for the system's.
    package var caFile: String?
    /// Off only by the operator's explicit `insecure`.
    package var verifiesTLS = true
    package var userAgent = "consent-worker"

    package init() {}
}
