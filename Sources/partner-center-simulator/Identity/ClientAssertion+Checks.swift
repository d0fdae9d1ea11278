extension ClientAssertion {
    /// What the simulator itself knows about the request.
    struct Expectation {
        var client: String
        /// The token endpoint that was asked, as the client sees it.
        var endpoint: String
        /// Seconds of the wall clock.
        var now: Int
    }

    private static let clockSkew = 300
    private static let longestLife = 600

    /// Whether it is the application's own statement, made now and for this endpoint. That it was not used before is for
    /// the caller to check.
    func check(
        with certificate: ApplicationCertificate?,
        against expected: Expectation
    ) throws(TokenError) {
        guard header.alg == "PS256" else { throw Self.malformed("its alg is '\(header.alg)', not 'PS256'") }
        guard header.typ == "JWT" else { throw Self.malformed("its typ is '\(header.typ)', not 'JWT'") }
        guard !claims.jti.isEmpty else { throw Self.malformed("its jti is empty") }
        try checkSignature(with: certificate, now: expected.now)
        try checkParties(against: expected)
        try checkTimes(now: expected.now)
    }

    private func checkSignature(with certificate: ApplicationCertificate?, now: Int) throws(TokenError) {
        guard let certificate else {
            throw Self.refusal(
                700027,
                "Client assertion cannot be verified: the simulator's plan must name the application's certificate."
            )
        }
        guard header.thumbprint == certificate.thumbprint else {
            throw Self.refusal(
                700027,
                "The certificate with identifier used to sign the client assertion is not registered on application. "
                    + "[Reason - x5t#S256 is '\(header.thumbprint)', not '\(certificate.thumbprint)'.]"
            )
        }
        guard certificate.validity.contains(now) else {
            throw Self.refusal(
                700027,
                "The certificate used to sign the client assertion has expired or is not valid yet."
            )
        }
        guard certificate.verifies(signature, of: signed) else {
            throw Self.refusal(
                700027,
                "Client assertion contains an invalid signature. [Reason - Not PS256 by the certificate's key.]"
            )
        }
    }

    private func checkParties(against expected: Expectation) throws(TokenError) {
        guard claims.iss.lowercased() == expected.client, claims.sub.lowercased() == expected.client else {
            throw Self.refusal(
                700021,
                "Client assertion application identifier doesn't match 'client_id' parameter. "
                    + "[iss is '\(claims.iss)', sub is '\(claims.sub)'.]"
            )
        }
        guard claims.aud == expected.endpoint else {
            throw Self.refusal(
                700023,
                "Client assertion audience claim does not match Realm issuer. "
                    + "[aud is '\(claims.aud)', not '\(expected.endpoint)'.]"
            )
        }
    }

    private func checkTimes(now: Int) throws(TokenError) {
        let latest = now + Self.clockSkew
        let problem: String? =
            if claims.exp <= now {
                "exp is over"
            } else if claims.nbf > latest {
                "nbf is more than \(Self.clockSkew) s ahead"
            } else if claims.iat > latest {
                "iat is more than \(Self.clockSkew) s ahead"
            } else if claims.exp > claims.iat + Self.longestLife {
                "exp is more than \(Self.longestLife) s after iat"
            } else {
                nil
            }
        guard let problem else { return }
        throw Self.refusal(
            700024,
            "Client assertion is not within its valid time range. [\(problem): now \(now), nbf \(claims.nbf), "
                + "iat \(claims.iat), exp \(claims.exp).]"
        )
    }

    private static func refusal(_ code: Int, _ description: String) -> TokenError {
        TokenError(error: "invalid_client", code: code, description: description)
    }
}
