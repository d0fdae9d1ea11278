package import ConsentContract
package import Resilience

/// What keeps requests for tokens back while they cannot succeed. Those who need one wait: nothing is failed for it.
package struct TokenBreakers: Sendable {
    /// Of the identity host, for all applications.
    let identity: BreakerGate
    /// Of one application: its client credentials are refused.
    let credentials: BreakerGate
    private let onRefusal: @Sendable (CommandError) -> Void
    /// Told which partners have to sign in again whenever there is one more or fewer.
    let onRefusedPartners: @Sendable ([GUID]) -> Void

    /// - Parameters:
    ///   - onRefusal: told of every refusal of the application's credentials.
    ///   - onAcceptance: told when they are accepted again.
    ///   - onRefusedPartners: told which partners have to sign in again whenever there is one more or fewer.
    package init(
        identity: BreakerGate,
        clock: any MonotonicClock = SystemClock(),
        onRefusal: @escaping @Sendable (CommandError) -> Void,
        onAcceptance: @escaping @Sendable () -> Void,
        onRefusedPartners: @escaping @Sendable ([GUID]) -> Void = { _ in }
    ) {
        self.identity = identity
        self.onRefusal = onRefusal
        self.onRefusedPartners = onRefusedPartners
        let policy = CircuitBreaker.Policy(failureRatio: 1, minimumSamples: 1, probe: .seconds(10))
        credentials = BreakerGate(policy, clock: clock) { isOpen in if !isOpen { onAcceptance() } }
    }

    package var isOpen: Bool { identity.isOpen || credentials.isOpen }
    package var keepsWaiting: Bool { identity.waiting > 0 || credentials.waiting > 0 }

    /// Asks, and asks again for as long as the answer says nothing about who asks.
    func untilDecided<Token>(_ ask: () async throws(TokenFailure) -> Token) async throws(TokenFailure) -> Token {
        while true {
            let credentials = try await pass(self.credentials)
            let identity: BreakerGate.Pass
            do throws(TokenFailure) {
                identity = try await pass(self.identity)
            } catch {
                credentials.abandoned()
                throw error
            }
            do throws(TokenFailure) {
                let token = try await ask()
                identity.succeeded()
                credentials.succeeded()
                return token
            } catch {
                switch error.verdict {
                case .transient:
                    credentials.abandoned()
                    identity.failed()
                    if !self.identity.isOpen { throw error }
                case .misconfigured(let refusal):
                    identity.succeeded()
                    onRefusal(refusal)
                    credentials.failed()
                case .failed(let error) where error.category == .partnerNotConfigured:
                    // Nobody was asked.
                    identity.abandoned()
                    credentials.abandoned()
                    throw TokenFailure(.failed(error))
                default:
                    identity.succeeded()
                    credentials.succeeded()
                    throw error
                }
            }
        }
    }

    private func pass(_ gate: BreakerGate) async throws(TokenFailure) -> BreakerGate.Pass {
        if let pass = gate.enterAtOnce() { return pass }
        do {
            return try await gate.enter()
        } catch {
            let error = CommandError(.identityUnavailable, "The wait for a token was cancelled.", source: .identity)
            throw TokenFailure(.transient(error, outcomeUnknown: false, retryAfter: nil))
        }
    }
}

extension TokenBreakers? {
    func untilDecided<Token>(_ ask: () async throws(TokenFailure) -> Token) async throws(TokenFailure) -> Token {
        guard let self else { return try await ask() }
        return try await self.untilDecided(ask)
    }
}
