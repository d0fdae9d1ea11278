import CRabbitMQ
import Glibc
import Secrets

extension ConnectionHandle {
    /// Opens the socket, with TLS where the endpoint asks for it.
    static func connect(
        _ connection: amqp_connection_state_t,
        _ endpoint: AMQPEndpoint,
        _ options: AMQPOptions
    ) throws(AMQPError) {
        var timeout = timeval(options.connectTimeout)
        amqp_set_handshake_timeout(connection, &timeout)
        let socket = endpoint.usesTLS ? try tlsSocket(connection, options.tls) : amqp_tcp_socket_new(connection)
        guard let socket else { fatalError("out of memory for an AMQP socket") }
        let verification =
            endpoint.usesTLS && options.tls.verifies ? try verification(of: endpoint, on: socket) : nil
        let status = withExtendedLifetime(verification) {
            amqp_socket_open_noblock(socket, endpoint.host, CInt(endpoint.port), &timeout)
        }
        if status == AMQP_STATUS_OK.rawValue { return }
        if let reason = verification?.reason {
            throw AMQPError(
                .tlsFailed,
                "the certificate of \(endpoint) is refused: \(reason) (authorities: \(options.tls.caFile))"
            )
        }
        switch status {
        case AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue, AMQP_STATUS_SSL_ERROR.rawValue,
            AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue, AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED.rawValue:
            throw AMQPError(.tlsFailed, "TLS with \(endpoint) failed: \(text(status))")
        default:
            throw AMQPError(.unreachable, "no broker answers at \(endpoint): \(text(status))")
        }
    }

    private static func verification(
        of endpoint: AMQPEndpoint,
        on socket: OpaquePointer
    ) throws(AMQPError) -> PeerVerification {
        guard let verification = PeerVerification(socket: socket, host: endpoint.host) else {
            throw AMQPError(.tlsFailed, "the TLS library cannot verify \(endpoint)")
        }
        return verification
    }

    private static func tlsSocket(
        _ connection: amqp_connection_state_t,
        _ tls: AMQPOptions.TLS
    ) throws(AMQPError) -> OpaquePointer? {
        let socket = amqp_ssl_socket_new(connection)
        guard amqp_ssl_socket_set_cacert(socket, tls.caFile) == AMQP_STATUS_OK.rawValue else {
            throw AMQPError(.tlsFailed, "the authorities in \(tls.caFile) cannot be read")
        }
        if let certificate = tls.certificateFile, let key = tls.keyFile {
            guard amqp_ssl_socket_set_key(socket, certificate, key) == AMQP_STATUS_OK.rawValue else {
                throw AMQPError(.tlsFailed, "the client certificate \(certificate) or its key \(key) cannot be used")
            }
        }
        // librabbitmq's own checks are replaced by PeerVerification.
        amqp_ssl_socket_set_verify_peer(socket, tls.verifies ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, 0)
        // 0.11 by itself only rules out SSL 2 and 3.
        guard amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == AMQP_STATUS_OK.rawValue else {
            throw AMQPError(.tlsFailed, "the TLS library offers no TLS 1.2")
        }
        return socket
    }

    /// Bounds how long data that the broker's host does not take keeps a send from failing.
    static func setUserTimeout(_ descriptor: CInt, _ heartbeat: Duration) {
        var milliseconds = CUnsignedInt(heartbeat.components.seconds * 2000)
        setsockopt(
            descriptor,
            CInt(IPPROTO_TCP),
            TCP_USER_TIMEOUT,
            &milliseconds,
            socklen_t(MemoryLayout<CUnsignedInt>.size)
        )
    }

    /// Tells the broker who we are and what we understand.
    static func login(
        _ connection: amqp_connection_state_t,
        _ endpoint: AMQPEndpoint,
        _ options: AMQPOptions,
        name: String,
        pool: UnsafeMutablePointer<amqp_pool_t>
    ) throws(AMQPError) {
        defer { recycle_amqp_pool(pool) }
        // Without these the broker neither tells of a blocked connection nor of a cancelled consumer.
        var properties = FieldTable.encode(
            [
                "connection_name": .string(name),
                "capabilities": .table([
                    "authentication_failure_close": true, "connection.blocked": true, "consumer_cancel_notify": true,
                    "publisher_confirms": true, "basic.nack": true,
                ]),
            ],
            in: pool
        )
        let heartbeat = CInt(max(1, options.heartbeat.components.seconds))
        // EXTERNAL: the broker reads who we are from the certificate. librabbitmq 0.11 cannot send an empty identity.
        let reply =
            if endpoint.usesTLS && !endpoint.namesUser && options.tls.certificateFile != nil {
                crabbitmq_login_external(
                    connection,
                    endpoint.virtualHost,
                    2047,
                    131_072,
                    heartbeat,
                    &properties,
                    "certificate"
                )
            } else {
                crabbitmq_login_plain(
                    connection,
                    endpoint.virtualHost,
                    2047,
                    131_072,
                    heartbeat,
                    &properties,
                    endpoint.user,
                    endpoint.password.reveal()
                )
            }
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION where reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD:
            let close = reply.reply.decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            let words = endpoint.withoutPassword(FieldTable.words(close.reply_text))
            let reason = words.reversed().drop { $0 == "." }.reversed()
            throw AMQPError(
                close.reply_code == AMQPReplyCode.accessRefused || close.reply_code == 530
                    ? .accessRefused : .unreachable,
                "the broker at \(endpoint) refused the login to virtual host \(endpoint.virtualHost): \(String(reason))",
                replyCode: close.reply_code
            )
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            // With TLS 1.3 a server refuses a client only after the handshake.
            let hint =
                endpoint.usesTLS && options.tls.certificateFile == nil
                ? "; the broker may demand a client certificate (amqp.tls.certificateFile)" : ""
            throw AMQPError(
                .unreachable,
                "the login at \(endpoint) failed: \(text(reply.library_error))\(hint)"
            )
        default:
            throw AMQPError(.protocolViolation, "the broker at \(endpoint) answered the login with something else")
        }
    }
}
