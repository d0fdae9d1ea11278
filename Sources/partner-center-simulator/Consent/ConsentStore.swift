import NIOConcurrencyHelpers

/// Which application has consent for which customer, how it came about, and which requests made it so.
final class ConsentStore: Sendable {
    struct Pair: Hashable, Sendable {
        var customer: String
        var application: String
    }

    /// A write that took effect.
    struct Change: Encodable, Sendable {
        var effect: Effect
        var requestId: String
        var atNs: Int
        var grants: [ConsentGrant]
    }

    struct Consent: Sendable {
        var consented = false
        var grants: [ConsentGrant] = []
        var history: [Change] = []
    }

    enum Result: Equatable, Sendable {
        case done
        /// The request had taken effect before.
        case repeated
        /// There is a consent to grant already, or none to revoke.
        case refused
    }

    /// Method and path belong to the key: one ID for two different operations is two requests.
    private struct RequestKey: Hashable {
        var id: String
        var effect: Effect
        var pair: Pair
    }

    private struct State {
        var consents: [Pair: Consent] = [:]
        var tookEffect: Set<RequestKey> = []
    }

    private let state = NIOLockedValueBox(State())

    init(presets: [ConsentPreset] = []) {
        preset(presets)
    }

    func grant(_ grants: [ConsentGrant], to pair: Pair, requestID: String) -> Result {
        change(.granted, grants: grants, pair: pair, requestID: requestID)
    }

    func revoke(_ pair: Pair, requestID: String) -> Result {
        change(.revoked, grants: [], pair: pair, requestID: requestID)
    }

    private func change(_ effect: Effect, grants: [ConsentGrant], pair: Pair, requestID: String) -> Result {
        state.withLockedValue { state in
            let key = RequestKey(id: requestID, effect: effect, pair: pair)
            if state.tookEffect.contains(key) { return .repeated }
            let wanted = effect == .granted
            guard state.consents[pair]?.consented ?? false != wanted else { return .refused }
            let now = MonotonicTime.now().nanoseconds
            let change = Change(effect: effect, requestId: requestID, atNs: now, grants: grants)
            state.consents[pair, default: Consent()].consented = wanted
            state.consents[pair]?.grants = grants
            state.consents[pair]?.history.append(change)
            state.tookEffect.insert(key)
            return .done
        }
    }

    func isConsented(customer: String, application: String) -> Bool {
        let pair = Pair(customer: customer, application: application)
        return state.withLockedValue { $0.consents[pair]?.consented ?? false }
    }

    /// Sets consents as if they had always been so: the history does not show it.
    func preset(_ presets: [ConsentPreset]) {
        state.withLockedValue { state in
            for preset in presets {
                let pair = Pair(customer: preset.customer.text, application: preset.application.text)
                state.consents[pair, default: Consent()].consented = preset.consented
                state.consents[pair]?.grants = preset.consented ? preset.grants : []
            }
        }
    }

    func consents() -> [Pair: Consent] {
        state.withLockedValue { $0.consents }
    }

    /// Forgets consents, histories and requests.
    func reset() {
        state.withLockedValue { $0 = State() }
    }
}
