import ConsentContract
import Resilience
import Secrets

/// The partners whose refresh tokens are refused: the breaker of each. Pure: time comes in.
struct PartnerRefusals {
    private struct Refusal {
        let failure: TokenFailure
        /// What was refused; another one is worth asking with.
        var refreshToken: Secret?
        var askAgainAt: ContinuousClock.Instant
    }

    /// Between two redemptions of a token that was refused.
    private static let interval = Duration.seconds(60)

    private var refusals: [GUID: Refusal] = [:]

    var partners: [GUID] { Array(refusals.keys) }

    /// Why the partner's commands fail; nil if they need not.
    subscript(partner: GUID) -> TokenFailure? { refusals[partner]?.failure }

    /// - Returns: whether this is news.
    mutating func refuse(
        _ partner: GUID,
        _ failure: TokenFailure,
        with refreshToken: Secret?,
        at now: ContinuousClock.Instant
    ) -> Bool {
        let refusal = Refusal(failure: failure, refreshToken: refreshToken, askAgainAt: now + Self.interval)
        return refusals.updateValue(refusal, forKey: partner) == nil
    }

    /// Whether this is the moment for another redemption; true once each.
    mutating func mayAskAgain(_ partner: GUID, with refreshToken: Secret?, at now: ContinuousClock.Instant) -> Bool {
        guard let refusal = refusals[partner] else { return true }
        guard refusal.refreshToken != refreshToken || now >= refusal.askAgainAt else { return false }
        refusals[partner]?.refreshToken = refreshToken
        refusals[partner]?.askAgainAt = now + Self.interval
        return true
    }

    /// - Returns: whether there was one.
    mutating func end(_ partner: GUID) -> Bool { refusals.removeValue(forKey: partner) != nil }
}
