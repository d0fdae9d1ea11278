import ConsentContract
import NIOConcurrencyHelpers

/// Access tokens by what they are for. Read by every command, so without a hop to another thread.
final class TokenCache: Sendable {
    typealias Token = TokenProvider.AccessToken
    typealias Key = TokenProvider.Key

    /// By tenant first: what changes a tenant's consent drops all of its tokens.
    private let tokens = NIOLockedValueBox<[GUID: [Key: Token]]>([:])

    subscript(key: Key) -> Token? {
        get { tokens.withLockedValue { $0[key.tenantID]?[key] } }
        set { tokens.withLockedValue { $0[key.tenantID, default: [:]][key] = newValue } }
    }

    /// Drops a token unless it has been replaced already.
    func drop(_ token: Token, for key: Key) {
        tokens.withLockedValue { if $0[key.tenantID]?[key] == token { $0[key.tenantID]?[key] = nil } }
    }

    func drop(tenant: GUID) { tokens.withLockedValue { $0[tenant] = nil } }

    /// Keeps only what is wanted; tenants without any are forgotten.
    func filter(_ isWanted: (Key, Token) -> Bool) {
        tokens.withLockedValue { tokens in
            tokens = tokens.compactMapValues { ofTenant in
                let wanted = ofTenant.filter(isWanted)
                return wanted.isEmpty ? nil : wanted
            }
        }
    }
}
