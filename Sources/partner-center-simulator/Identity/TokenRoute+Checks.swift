/// What a token request is refused for.
extension TokenRoute {
    func authenticate(_ client: String, form: FormFields, call: APICall) throws(TokenError) {
        if let assertion = form["client_assertion"] {
            return try authenticate(client, assertion: assertion, type: form["client_assertion_type"], call: call)
        }
        guard let secret = form["client_secret"], !secret.isEmpty else {
            throw TokenError(
                error: "invalid_client",
                code: 7_000_218,
                description: "The request body must contain the parameter 'client_assertion' or 'client_secret'."
            )
        }
        switch directory.secret(of: client) {
        case .any: return
        case .exactly(let right) where secret == right: return
        case .exactly, .none: throw TokenError(error: "invalid_client", code: 7_000_215)
        }
    }

    private func authenticate(
        _ client: String,
        assertion text: String,
        type: String?,
        call: APICall
    ) throws(TokenError) {
        guard type == ClientAssertion.type else {
            throw ClientAssertion.malformed("client_assertion_type must be '\(ClientAssertion.type)'")
        }
        let assertion = try ClientAssertion(text)
        try assertion.check(
            with: directory.certificate(of: client),
            against: ClientAssertion.Expectation(
                client: client,
                endpoint: "\(call.origin)/\(call.segments[0])/oauth2/v2.0/token",
                now: UTCTime.now().seconds
            )
        )
        guard tokens.useAssertion(assertion.claims.jti, of: client) else {
            throw ClientAssertion.malformed("its jti '\(assertion.claims.jti)' was used before")
        }
    }

    /// The partner whose user the refresh token stands for.
    func authorize(
        _ client: String,
        refreshToken: String,
        tenant: String,
        resource: String
    ) throws(TokenError) -> String? {
        let customer = directory.customer(tenant: tenant)
        let known = partner(ofRefreshToken: refreshToken)
        if directory.isStrict {
            guard directory.isPartner(tenant) || customer != nil else {
                throw TokenError(error: "invalid_request", code: 90002)
            }
            guard let known else { throw TokenError(error: "invalid_grant", code: 700082) }
            guard known == (customer?.partner ?? tenant) else {
                throw TokenError(error: "invalid_grant", code: 50020)
            }
        }
        if let known, !directory.partner(known, accepts: client) {
            throw TokenError(error: "invalid_grant", code: 65001)
        }
        let isGraph = resource.lowercased().contains("graph")
        if isGraph, settings.requiresConsentForGraph, !directory.isPartner(tenant),
            !consents.isConsented(customer: customer?.id ?? tenant, application: client)
        {
            throw TokenError(error: "invalid_grant", code: 65001)
        }
        if known == nil, !isGraph {
            // Partner Center tokens are redeemed in the partner's own tenant: so this is whose token it is.
            tokens.remember(refreshToken: refreshToken, of: tenant)
            return tenant
        }
        return known
    }

    func partner(ofRefreshToken token: String) -> String? {
        directory.partner(ofRefreshToken: token) ?? tokens.partner(ofRefreshToken: token)
    }

    /// The one resource of a scope like `https://graph.microsoft.com/.default offline_access`.
    func resource(ofScope scope: String) throws(TokenError) -> String {
        let suffix = "/.default"
        let resources = scope.split(separator: " ").filter { $0.hasSuffix(suffix) }
        guard resources.count == 1, let resource = resources.first?.dropLast(suffix.count), !resource.isEmpty else {
            let description = "The scope '\(scope)' must have the form '<resource>/.default offline_access'."
            throw TokenError(error: "invalid_scope", code: 70011, description: description)
        }
        return String(resource)
    }

    func required(_ name: String, in form: FormFields) throws(TokenError) -> String {
        guard let value = form[name], !value.isEmpty else {
            let description = "The request body must contain the following parameter: '\(name)'."
            throw TokenError(error: "invalid_request", code: 900_144, description: description)
        }
        return value
    }
}
