import NIOConcurrencyHelpers

/// An access token that was issued, with what it is good for.
struct AccessToken: Equatable, Sendable {
    var client: String
    var tenant: String
    var resource: String
    var partner: String?
    var expiresAt: MonotonicTime
}

/// The tokens that were issued. They are opaque: all that is known about one is known here.
final class TokenStore: Sendable {
    enum Lookup: Equatable, Sendable {
        case live(AccessToken)
        case expired(AccessToken)
        case unknown
    }

    private struct State {
        var accessTokens: [String: AccessToken] = [:]
        /// Whose refresh token it is, for tokens that no plan names: learnt when it is redeemed in the partner's tenant.
        var partnersByRefreshToken: [String: String] = [:]
        var ledger = RefreshTokenLedger()
        var usedAssertions: Set<AssertionID> = []
    }

    private struct AssertionID: Hashable {
        var client: String
        var id: String
    }

    private let state = NIOLockedValueBox(State())

    func issue(_ token: AccessToken) -> String {
        let text = "simulated." + Identifiers.opaque(length: 48)
        state.withLockedValue { $0.accessTokens[text] = token }
        return text
    }

    func look(up text: String, at time: MonotonicTime) -> Lookup {
        guard let token = state.withLockedValue({ $0.accessTokens[text] }) else { return .unknown }
        return time < token.expiresAt ? .live(token) : .expired(token)
    }

    /// Makes every token that was issued so far an expired one.
    func expireAll(at time: MonotonicTime) {
        state.withLockedValue { state in
            state.accessTokens = state.accessTokens.mapValues { token in
                var token = token
                token.expiresAt = min(token.expiresAt, time)
                return token
            }
        }
    }

    /// Makes a new refresh token of the partner's user.
    func issueRefreshToken(partner: String?, application: String, tenant: String) -> String {
        let text = "simulated-refresh." + Identifiers.opaque(length: 48)
        state.withLockedValue { state in
            if let partner { state.partnersByRefreshToken[text] = partner }
            state.ledger.note(text, partner: partner, application: application, tenant: tenant)
        }
        return text
    }

    var refreshTokens: [RefreshTokenLedger.Account] { state.withLockedValue { $0.ledger }.accounts }

    /// Whether the client has not used an assertion with this ID before; from now on it has.
    func useAssertion(_ id: String, of client: String) -> Bool {
        state.withLockedValue { $0.usedAssertions.insert(AssertionID(client: client, id: id)).inserted }
    }

    func remember(refreshToken: String, of partner: String) {
        state.withLockedValue { $0.partnersByRefreshToken[refreshToken] = partner }
    }

    func partner(ofRefreshToken token: String) -> String? {
        state.withLockedValue { $0.partnersByRefreshToken[token] }
    }
}

extension TokenStore.Lookup {
    /// The token's data whether or not it is still good: a request with an expired token still shows who sent it.
    var token: AccessToken? {
        switch self {
        case .live(let token), .expired(let token): token
        case .unknown: nil
        }
    }
}
