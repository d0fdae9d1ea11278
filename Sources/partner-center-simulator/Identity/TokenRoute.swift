import HTTPTypes
import NIOCore

/// The v2 token endpoint of the identity platform, for the refresh token grant.
struct TokenRoute: APIRoute {
    let settings: Settings
    let directory: TenantDirectory
    let tokens: TokenStore
    let consents: ConsentStore

    struct Settings: Sendable {
        var lifetimeSeconds: Int
        var rotatesRefreshTokens: Bool
        var requiresConsentForGraph: Bool
    }

    struct Reading: Sendable {
        var tenant: String
        var form: FormFields
        var subject: Subject
    }

    func read(_ call: APICall) -> Reading {
        let tenant = FormFields.decoded(call.segments[0]).lowercased()
        let form = FormFields(String(buffer: call.body))
        let subject = Subject(
            application: form["client_id"]?.lowercased(),
            tenant: tenant,
            partner: form["refresh_token"].flatMap { partner(ofRefreshToken: $0) },
            requestID: call.headers[.clientRequestID],
            clientAuthentication: ClientAuthentication(form)
        )
        return Reading(tenant: tenant, form: form, subject: subject)
    }

    func subject(of reading: Reading) -> Subject { reading.subject }

    func throttled(_ call: APICall, retryAfter: String) -> Answer {
        let error = TokenError(status: 429, error: "temporarily_unavailable", code: 90033)
        var answer = error.answer(correlationID: call.headers[.clientRequestID])
        answer.headers[.retryAfter] = retryAfter
        return answer
    }

    func decorate(_ answer: inout Answer, for call: APICall) {
        answer.headers[.cacheControl] = "no-store, no-cache"
        answer.headers[.date] = UTCTime.now().httpDate
    }

    func answer(_ call: APICall, _ reading: Reading) -> Outcome {
        do throws(TokenError) {
            return Outcome(try redeem(reading, of: call))
        } catch {
            return Outcome(error.answer(correlationID: call.headers[.clientRequestID]))
        }
    }

    private func redeem(_ reading: Reading, of call: APICall) throws(TokenError) -> Answer {
        let form = reading.form
        guard try required("grant_type", in: form) == "refresh_token" else {
            throw TokenError(
                error: "unsupported_grant_type",
                code: 70003,
                description: "The app requested an unsupported grant type '\(form["grant_type"] ?? "")'."
            )
        }
        let client = try required("client_id", in: form).lowercased()
        let refreshToken = try required("refresh_token", in: form)
        let scope = try required("scope", in: form)
        let resource = try resource(ofScope: scope)
        try authenticate(client, form: form, call: call)
        let partner = try authorize(client, refreshToken: refreshToken, tenant: reading.tenant, resource: resource)

        let token = AccessToken(
            client: client,
            tenant: reading.tenant,
            resource: resource,
            partner: partner,
            expiresAt: call.arrivedAt.advanced(byMilliseconds: settings.lifetimeSeconds * 1000)
        )
        return .json(
            200,
            [
                "token_type": "Bearer",
                "scope": .string("\(resource)/user_impersonation \(resource)/.default"),
                "expires_in": .integer(settings.lifetimeSeconds),
                "ext_expires_in": .integer(settings.lifetimeSeconds),
                "access_token": .string(tokens.issue(token)),
                "refresh_token": .string(successor(of: refreshToken, for: token)),
            ] as JSON
        )
    }

    /// An older refresh token stays good when it is used, as with the real platform.
    private func successor(of refreshToken: String, for token: AccessToken) -> String {
        guard settings.rotatesRefreshTokens else { return refreshToken }
        return tokens.issueRefreshToken(partner: token.partner, application: token.client, tenant: token.tenant)
    }
}
