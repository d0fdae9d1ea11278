import HTTPTypes
import NIOCore

/// One request to a simulated API.
struct APICall: Sendable {
    var kind: RequestKind
    var method: HTTPRequest.Method
    /// As received, without the query.
    var path: String
    /// The parts of the path that vary, still percent-encoded: tenant, customer, application, or those of Graph.
    var segments: [Substring]
    var query = FormFields("")
    var headers = HTTPFields()
    var scheme = "http"
    /// The host and port that the client asked for.
    var authority = ""
    var body = ByteBuffer()
    /// When the request's first byte was read.
    var arrivedAt: MonotonicTime

    /// The simulator's address, as the client sees it.
    var origin: String { "\(scheme)://\(authority)" }

    /// The token of the Authorization header, if there is one.
    var bearer: String? {
        guard let value = headers[.authorization], value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst("bearer ".count))
    }
}

/// What a request is, in arrivals and in faults.
enum RequestKind: String, Codable, CaseIterable, Sendable {
    case grant, revoke, graph, token
}

/// Whom a request concerns, as far as it shows.
struct Subject: Equatable, Sendable {
    var application: String?
    var customer: String?
    var tenant: String?
    var partner: String?
    var requestID: String?
    var correlationID: String?
    var clientAuthentication: ClientAuthentication?
}

/// What a token request presents to prove which application it comes from, whether or not it is right.
enum ClientAuthentication: String, Codable, Sendable {
    case secret, assertion

    init?(_ form: FormFields) {
        if form["client_assertion"] != nil {
            self = .assertion
        } else if form["client_secret"] != nil {
            self = .secret
        } else {
            return nil
        }
    }
}

/// What a request changed.
enum Effect: String, Codable, Sendable {
    case granted, revoked
}

/// A route's answer and what came of the request.
struct Outcome: Sendable {
    var answer: Answer
    var effect: Effect?
    /// The same request had taken effect before, and gets its success again.
    var isRepeat = false

    init(_ answer: Answer, effect: Effect? = nil, isRepeat: Bool = false) {
        self.answer = answer
        self.effect = effect
        self.isRepeat = isRepeat
    }
}
