import HTTPTypes

/// Where a method and a path lead.
enum Destination: Equatable, Sendable {
    case token(tenant: Substring)
    case grant(customer: Substring)
    case revoke(customer: Substring, application: Substring)
    case graph([Substring])
    case control([Substring])

    init?(method: HTTPRequest.Method, path: String) {
        let parts = path.split(separator: "/")
        switch (method, parts.count) {
        case (_, 1...) where parts[0] == "_sim":
            self = .control(Array(parts.dropFirst()))
        case (.get, 2...) where parts[0] == "v1.0" || parts[0] == "beta":
            self = .graph(parts)
        case (.post, 4) where parts[1...] == ["oauth2", "v2.0", "token"]:
            self = .token(tenant: parts[0])
        case (.post, 4) where parts[0] == "v1" && parts[1] == "customers" && parts[3] == "applicationconsents":
            self = .grant(customer: parts[2])
        case (.delete, 5) where parts[0] == "v1" && parts[1] == "customers" && parts[3] == "applicationconsents":
            self = .revoke(customer: parts[2], application: parts[4])
        default:
            return nil
        }
    }

    /// nil for the control API, whose requests are no arrivals.
    var kind: RequestKind? {
        switch self {
        case .token: .token
        case .grant: .grant
        case .revoke: .revoke
        case .graph: .graph
        case .control: nil
        }
    }

    /// The parts of the path that vary.
    var segments: [Substring] {
        switch self {
        case .token(let tenant): [tenant]
        case .grant(let customer): [customer]
        case .revoke(let customer, let application): [customer, application]
        case .graph(let parts), .control(let parts): parts
        }
    }
}
