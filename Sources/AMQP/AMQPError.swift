/// What went wrong between this process and the broker. Safe to print: holds no credentials and no message bodies.
package struct AMQPError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// No connection could be made: refused, unresolved, timed out.
        case unreachable
        /// The broker does not accept the user, the password or the virtual host.
        case accessRefused
        /// TLS could not be set up or the peer could not be verified.
        case tlsFailed
        /// The connection is gone: closed by the broker, reset, or without heartbeat.
        case connectionLost
        /// The broker closed the channel.
        case channelClosed
        /// The broker cancelled the consumer, for example because its queue was deleted.
        case consumerCancelled
        /// The broker did not answer a request in time.
        case timedOut
        /// The broker sent what AMQP does not allow.
        case protocolViolation
        /// The broker refused to take a published message.
        case nacked
        /// An address or option that cannot be used.
        case invalidConfiguration
    }

    package let code: Code
    package let message: String
    /// The broker's reply code, such as 404 or 406.
    package let replyCode: UInt16?

    package init(_ code: Code, _ message: String, replyCode: UInt16? = nil) {
        self.code = code
        self.message = message
        self.replyCode = replyCode
    }

    package var description: String { message }
}

/// Reply codes of AMQP 0-9-1 and RabbitMQ.
package enum AMQPReplyCode {
    package static let success: UInt16 = 200
    package static let accessRefused: UInt16 = 403
    package static let notFound: UInt16 = 404
    package static let preconditionFailed: UInt16 = 406
}
