import HTTPTypes
import NIOCore

/// `applicationconsents` of Partner Center.
struct ConsentRoute: APIRoute {
    let directory: TenantDirectory
    let tokens: TokenStore
    let consents: ConsentStore

    struct Reading: Sendable {
        var token: TokenStore.Lookup?
        /// nil for a revocation; a failure says what is wrong with the body.
        var body: Result<ConsentBody, PartnerCenterError>?
        var subject: Subject
    }

    func read(_ call: APICall) -> Reading {
        // By the time of arrival, not of handling: a token that was good when the request came stays good.
        let token = call.bearer.map { tokens.look(up: $0, at: call.arrivedAt) }
        let body = call.kind == .grant ? readBody(call.body) : nil
        let named: String? =
            switch body {
            case .success(let body): body.applicationID
            case .failure: nil
            case nil: Identifiers.normalizedGUID(FormFields.decoded(call.segments[1]))
            }
        let subject = Subject(
            application: named ?? token?.token?.client,
            customer: Identifiers.normalizedGUID(FormFields.decoded(call.segments[0])),
            tenant: token?.token?.tenant,
            partner: token?.token?.partner,
            requestID: call.headers[.msRequestID],
            correlationID: call.headers[.msCorrelationID]
        )
        return Reading(token: token, body: body, subject: subject)
    }

    private func readBody(_ buffer: ByteBuffer) -> Result<ConsentBody, PartnerCenterError> {
        do {
            return .success(try JSONText.decode(ConsentBody.self, from: buffer.readableBytesView))
        } catch {
            return .failure(PartnerCenterError(code: 2000, description: JSONText.explain(error)))
        }
    }

    func subject(of reading: Reading) -> Subject { reading.subject }

    func throttled(_ call: APICall, retryAfter: String) -> Answer {
        // The text counts seconds, also where the header has a date.
        let seconds = Int(retryAfter).map(String.init) ?? "60"
        var answer = Answer.json(
            429,
            [
                "statusCode": 429,
                "message": .string("Rate limit is exceeded. Try again in \(seconds) seconds."),
            ] as JSON
        )
        answer.headers[.retryAfter] = retryAfter
        return answer
    }

    func decorate(_ answer: inout Answer, for call: APICall) {
        answer.headers[.msRequestID] = call.headers[.msRequestID] ?? Identifiers.guid()
        answer.headers[.msCorrelationID] = call.headers[.msCorrelationID] ?? Identifiers.guid()
        answer.headers[.msCorrelationVector] = Identifiers.opaque(length: 16) + ".0"
        answer.headers[.msServerID] = "SIMULATOR-1"
    }

    func answer(_ call: APICall, _ reading: Reading) -> Outcome {
        guard case .live(let token) = reading.token else { return Outcome(unauthorized(reading.token)) }
        // The real API asks for its own audience. Tests run all APIs on one host, so only the other API is told apart.
        guard !token.resource.lowercased().contains("graph") else { return Outcome(unauthorized(.unknown)) }
        guard let customer = reading.subject.customer else {
            let error = PartnerCenterError(code: 2000, description: "The customer ID is no GUID.")
            return Outcome(error.answer(400))
        }
        if case .failure(let error) = reading.body { return Outcome(error.answer(400)) }
        guard let application = reading.subject.application else {
            let error = PartnerCenterError(code: 2000, description: "The application ID is no GUID.")
            return Outcome(error.answer(400))
        }
        // A vendor can consent to its own application only.
        guard application == token.client else { return Outcome(Refusal.forbidden.answer) }
        if directory.isStrict {
            guard let listed = directory.customer(id: customer) else { return Outcome(Refusal.customerNotFound.answer) }
            guard listed.partner == token.partner else { return Outcome(Refusal.noRelationship.answer) }
        }
        let pair = ConsentStore.Pair(customer: customer, application: application)
        // A request without an ID gets one, which nobody knows and so nobody repeats.
        let requestID = reading.subject.requestID ?? Identifiers.guid()
        if case .success(let body) = reading.body {
            return grant(body, to: pair, requestID: requestID)
        }
        return revoke(pair, requestID: requestID)
    }

    private func grant(_ body: ConsentBody, to pair: ConsentStore.Pair, requestID: String) -> Outcome {
        let result = consents.grant(body.grants, to: pair, requestID: requestID)
        guard result != .refused else {
            let error = PartnerCenterError(code: 2000, description: "Permission entry already exists.")
            return Outcome(error.answer(409))
        }
        let created = Created(
            applicationId: body.applicationID,
            applicationGrants: body.grants,
            displayName: body.displayName
        )
        return Outcome(.json(201, created), effect: result == .done ? .granted : nil, isRepeat: result == .repeated)
    }

    private func revoke(_ pair: ConsentStore.Pair, requestID: String) -> Outcome {
        let result = consents.revoke(pair, requestID: requestID)
        guard result != .refused else {
            let error = PartnerCenterError(code: 3000, description: "The application consent was not found.")
            return Outcome(error.answer(404))
        }
        return Outcome(Answer(status: 200), effect: result == .done ? .revoked : nil, isRepeat: result == .repeated)
    }

    private struct Created: Encodable {
        var applicationId: String
        var applicationGrants: [ConsentGrant]
        var displayName: String?
    }

    private func unauthorized(_ token: TokenStore.Lookup?) -> Answer {
        let (challenge, description) =
            switch token {
            case .expired: (#"Bearer error="invalid_token""#, "The access token has expired.")
            case .live, .unknown: (#"Bearer error="invalid_token""#, "The access token is not valid for this audience.")
            case nil: ("Bearer", "The request has no access token.")
            }
        var answer = PartnerCenterError(code: 1001, description: description).answer(401)
        answer.headers[.wwwAuthenticate] = challenge
        return answer
    }
}
