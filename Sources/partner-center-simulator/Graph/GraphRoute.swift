import HTTPTypes

/// `identityGovernance/appConsent/appConsentRequests` of Graph, v1.0 and beta.
struct GraphRoute: APIRoute {
    let tokens: TokenStore
    let graph: GraphStore

    struct Reading: Sendable {
        var token: TokenStore.Lookup?
        var subject: Subject
    }

    func read(_ call: APICall) -> Reading {
        let token = call.bearer.map { tokens.look(up: $0, at: call.arrivedAt) }
        let subject = Subject(
            application: token?.token?.client,
            tenant: token?.token?.tenant,
            partner: token?.token?.partner,
            requestID: call.headers[.clientRequestID]
        )
        return Reading(token: token, subject: subject)
    }

    func subject(of reading: Reading) -> Subject { reading.subject }

    func throttled(_ call: APICall, retryAfter: String) -> Answer {
        let error = GraphError(
            status: 429,
            code: "TooManyRequests",
            message: "Too many requests.",
            innerCode: "429"
        )
        var answer = error.answer(clientRequestID: call.headers[.clientRequestID])
        answer.headers[.retryAfter] = retryAfter
        return answer
    }

    func decorate(_ answer: inout Answer, for call: APICall) {
        let requestID = answer.headers[.requestID] ?? Identifiers.guid()
        answer.headers[.requestID] = requestID
        answer.headers[.clientRequestID] = call.headers[.clientRequestID] ?? requestID
        answer.headers[.date] = UTCTime.now().httpDate
    }

    func answer(_ call: APICall, _ reading: Reading) -> Outcome {
        do throws(GraphError) {
            let token = try authenticate(reading.token)
            return Outcome(.json(200, try body(for: call, tenant: token.tenant)))
        } catch {
            var answer = error.answer(clientRequestID: call.headers[.clientRequestID])
            if error.status == 401 { answer.headers[.wwwAuthenticate] = #"Bearer error="invalid_token""# }
            return Outcome(answer)
        }
    }

    private func authenticate(_ lookup: TokenStore.Lookup?) throws(GraphError) -> AccessToken {
        let code = "InvalidAuthenticationToken"
        switch lookup {
        case nil:
            throw GraphError(status: 401, code: code, message: "Access token is empty.")
        case .unknown:
            throw GraphError(status: 401, code: code, message: "IDX14100: JWT is not well formed.")
        case .expired:
            throw GraphError(status: 401, code: code, message: "Lifetime validation failed, the token is expired.")
        case .live(let token):
            // Tests run all APIs on one host, so only Partner Center's own audience is told apart from Graph's.
            guard !token.resource.lowercased().contains("partnercenter") else {
                throw GraphError(status: 401, code: code, message: "Access token validation failure. Invalid audience.")
            }
            return token
        }
    }

    private func body(for call: APICall, tenant: String) throws(GraphError) -> JSON {
        let isBeta = call.segments.first == "beta"
        let view = GraphView(call: call, isBeta: isBeta, settings: graph.settings)
        switch GraphResource(call.segments) {
        case .list:
            return try view.list(graph.items(ofTenant: tenant))
        case .filterByCurrentUser(let option):
            return try view.filteredByCurrentUser(graph.items(ofTenant: tenant), option: option)
        case .item(let id):
            return try view.single(item(id, tenant: tenant))
        case .userConsentRequests(let id):
            return try view.userConsentRequests(of: item(id, tenant: tenant))
        case .policy:
            return view.policy
        case .unknown:
            throw GraphError.badRequest("Resource not found for the segment '\(call.path)'.")
        }
    }

    private func item(_ id: String, tenant: String) throws(GraphError) -> JSON {
        guard let item = graph.items(ofTenant: tenant).first(where: { $0["id"]?.text == id }) else {
            throw GraphError.notFound(id)
        }
        return item
    }
}
