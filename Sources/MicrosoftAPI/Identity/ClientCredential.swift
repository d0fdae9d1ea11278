import ConsentContract
package import Secrets

/// How an application proves to the identity service who it is.
package enum ClientCredential: Sendable, Equatable {
    case secret(Secret)
    case certificate(ClientCertificate)

    /// The form fields of a token request.
    /// - Parameter endpoint: the token endpoint that is asked; an assertion is good for that one only.
    func fields(
        applicationID: GUID,
        endpoint: String,
        now: Timestamp
    ) throws(ClientCertificate.Unusable) -> [(String, String)] {
        switch self {
        case .secret(let secret):
            return [("client_secret", secret.reveal())]
        case .certificate(let certificate):
            return [
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", try certificate.assertion(for: applicationID, audience: endpoint, now: now)),
            ]
        }
    }
}
