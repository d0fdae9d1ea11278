/// One request that arrived, and what became of it.
struct Arrival: Encodable, Sendable {
    var n: Int
    var atNs: Int
    var kind: RequestKind
    var application: String?
    var customer: String?
    var tenant: String?
    var partner: String?
    var requestId: String?
    var correlationId: String?
    var traceparent: String?
    var tracestate: String?
    var method: String
    var path: String
    /// What the client sees; null while the request runs, and if it never gets an answer.
    var status: Int?
    /// Whether the rate limit let it through.
    var admitted: Bool
    var `repeat` = false
    /// The IDs of the faults that it met, with commas.
    var fault: String?
    var effect: Effect?
    /// For token requests.
    var clientAuthentication: ClientAuthentication?

    private enum CodingKeys: String, CodingKey {
        case n, atNs, kind, application, customer, tenant, partner, requestId, correlationId, traceparent, tracestate
        case method, path, status, admitted, `repeat`, fault, effect, clientAuthentication
    }

    /// Every member is always there, with null for what is not known.
    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(n, forKey: .n)
        try values.encode(atNs, forKey: .atNs)
        try values.encode(kind, forKey: .kind)
        try values.encode(application, forKey: .application)
        try values.encode(customer, forKey: .customer)
        try values.encode(tenant, forKey: .tenant)
        try values.encode(partner, forKey: .partner)
        try values.encode(requestId, forKey: .requestId)
        try values.encode(correlationId, forKey: .correlationId)
        try values.encode(traceparent, forKey: .traceparent)
        try values.encode(tracestate, forKey: .tracestate)
        try values.encode(method, forKey: .method)
        try values.encode(path, forKey: .path)
        try values.encode(status, forKey: .status)
        try values.encode(admitted, forKey: .admitted)
        try values.encode(`repeat`, forKey: .repeat)
        try values.encode(fault, forKey: .fault)
        try values.encode(effect, forKey: .effect)
        try values.encode(clientAuthentication, forKey: .clientAuthentication)
    }
}
