import COpenSSL
import CRabbitMQ

/// Has OpenSSL verify the broker's certificate, and remembers which check failed.
///
/// librabbitmq 0.11 matches host names by code of its own, which knows no IP addresses, and reports every failed
/// check as the same error. Held until the handshake is over.
final class PeerVerification {
    private let context: OpaquePointer
    private var failure: CInt = X509_V_OK

    /// - Parameter socket: a TLS socket of librabbitmq, not yet opened.
    init?(socket: OpaquePointer?, host: String) {
        guard let context = amqp_ssl_socket_get_context(socket).map(OpaquePointer.init),
            let parameters = SSL_CTX_get0_param(context)
        else { return nil }
        self.context = context
        // Every name in the certificate must match this one; an address only if it is one.
        guard
            X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1
                || X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1
        else { return nil }
        // Index 0 is the application's own (SSL_CTX_set_ex_data(3)).
        SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(self).toOpaque())
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER) { isAccepted, store in
            if isAccepted == 0 { PeerVerification.of(store)?.failure = X509_STORE_CTX_get_error(store) }
            return isAccepted
        }
    }

    deinit {
        // A later handshake on the same connection finds nobody to tell.
        SSL_CTX_set_ex_data(context, 0, nil)
    }

    /// Which check failed, in OpenSSL's words; nil if none did.
    var reason: String? {
        failure == X509_V_OK ? nil : String(cString: X509_verify_cert_error_string(CLong(failure)))
    }

    private static func of(_ store: OpaquePointer?) -> PeerVerification? {
        guard let connection = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let context = SSL_get_SSL_CTX(OpaquePointer(connection)),
            let verification = SSL_CTX_get_ex_data(context, 0)
        else { return nil }
        return Unmanaged<PeerVerification>.fromOpaque(verification).takeUnretainedValue()
    }
}
