/// What a Graph path names.
enum GraphResource: Equatable, Sendable {
    case list
    case item(id: String)
    case userConsentRequests(of: String)
    case filterByCurrentUser(on: String)
    case policy
    case unknown

    /// `segments` are those of the path, version first, percent-encoded.
    init(_ segments: [Substring]) {
        let parts = segments.dropFirst().map { FormFields.decoded($0) }
        if parts == ["policies", "adminConsentRequestPolicy"] {
            self = .policy
            return
        }
        guard parts.starts(with: ["identityGovernance", "appConsent", "appConsentRequests"]) else {
            self = .unknown
            return
        }
        let rest = Array(parts.dropFirst(3))
        let function = "filterByCurrentUser("
        if rest.isEmpty {
            self = .list
        } else if rest.count == 1, rest[0].hasPrefix(function), rest[0].hasSuffix(")") {
            self = .filterByCurrentUser(on: String(rest[0].dropFirst(function.count).dropLast()))
        } else if rest.count == 1 {
            self = .item(id: rest[0])
        } else if rest.count == 2, rest[1] == "userConsentRequests" {
            self = .userConsentRequests(of: rest[0])
        } else {
            self = .unknown
        }
    }
}
