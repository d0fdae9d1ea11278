/// Why no complete answer came. Safe to print: holds host names, never headers, queries or bodies.
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        case cancelled
        /// Not answered within the request's timeout.
        case timedOut
        /// No connection: name not resolved, refused, unreachable.
        case connectionFailed
        /// The connection broke before the answer was complete.
        case connectionLost
        /// The peer's certificate is not trusted, expired, or for another host.
        case tlsVerificationFailed
        /// Larger than the client accepts.
        case responseTooLarge
        /// The peer does not speak HTTP.
        case malformedResponse
        /// `onSend` said no.
        case sendRefused
        case invalidRequest
    }

    package let code: Code
    package let message: String
    /// Whether the request may have reached the peer: if so it may have taken effect.
    package let wasSent: Bool

    package init(_ code: Code, _ message: String, wasSent: Bool) {
        self.code = code
        self.message = message
        self.wasSent = wasSent
    }

    package var description: String { message }
}
