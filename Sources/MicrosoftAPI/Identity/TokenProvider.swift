package import ConsentContract
package import HTTP
package import Logging
package import Resilience
package import Secrets

/// Access tokens of one application, from its partners' refresh tokens.
///
/// Cached until five minutes before they expire; however many commands need a token, one request for it is under way.
/// A partner whose refresh token is refused is not asked for again until its file changes, or once a minute.
package actor TokenProvider {
    package struct Key: Sendable, Hashable {
        package let partnerTenantID: GUID
        /// Where the token is redeemed: the partner's own tenant or a customer's.
        package let tenantID: GUID
        package let api: API

        package init(partnerTenantID: GUID, tenantID: GUID, api: API) {
            self.partnerTenantID = partnerTenantID
            self.tenantID = tenantID
            self.api = api
        }

        /// The redemption at the partner's own tenant, which decides whether its refresh token is good.
        var ofPartner: Key { Key(partnerTenantID: partnerTenantID, tenantID: partnerTenantID, api: .partnerCenter) }
    }

    package struct AccessToken: Sendable, Hashable {
        package let value: Secret
        let refreshAt: ContinuousClock.Instant
    }

    private typealias Waiter = OneShot<Result<AccessToken, TokenFailure>?>

    private let applicationID: GUID
    private let credential: ClientCredential
    private let store: RefreshTokenStore
    private let endpoints: Endpoints
    private let client: HTTPClient
    private let gate: ConcurrencyGate
    private let breakers: TokenBreakers?
    private let timeout: Duration
    private let clock: any MonotonicClock
    private let wallClock: any WallClock
    private let logger: Logger

    private nonisolated let tokens = TokenCache()
    /// Those who wait for a redemption under way.
    private var redemptions: [Key: [Waiter]] = [:]
    private var refusals = PartnerRefusals()
    /// Why a partner's last refresh token could not be written back.
    private var notWritten: [GUID: RefreshTokenStore.NotWritten] = [:]

    /// How long before its end a token is replaced.
    private static let margin = Duration.seconds(300)

    /// - Parameters:
    ///   - gate: bounds the requests to the identity host over all applications.
    ///   - breakers: what lets those who need a token wait for its end, instead of failing; nil to fail at once.
    package init(
        applicationID: GUID,
        credential: ClientCredential,
        store: RefreshTokenStore,
        endpoints: Endpoints,
        client: HTTPClient,
        gate: ConcurrencyGate,
        breakers: TokenBreakers? = nil,
        timeout: Duration,
        clock: any MonotonicClock = SystemClock(),
        wallClock: any WallClock = SystemWallClock(),
        logger: Logger
    ) {
        self.applicationID = applicationID
        self.credential = credential
        self.store = store
        self.endpoints = endpoints
        self.client = client
        self.gate = gate
        self.breakers = breakers
        self.timeout = timeout
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
    }

    /// A token that is valid for some minutes more, nil if it has to be asked for.
    package nonisolated func cachedToken(for key: Key) -> AccessToken? {
        tokens[key].flatMap { clock.now < $0.refreshAt ? $0 : nil }
    }

    /// A token that is valid for some minutes more.
    /// - Throws: ``TokenFailure``; `CancellationError` when the task is cancelled. The request itself goes on then,
    ///   because it serves others too.
    package func token(for key: Key) async throws -> AccessToken {
        if let token = cachedToken(for: key) { return token }
        if let refusal = refusals[key.partnerTenantID] {
            let own = key.ofPartner
            let isAsked = redemptions[own] != nil
            let mayAsk = refusals.mayAskAgain(
                key.partnerTenantID,
                with: store.entry(of: key.partnerTenantID)?.token,
                at: clock.now
            )
            guard isAsked || mayAsk else { throw refusal }
            let token = try await wait(for: own)
            if key == own { return token }
        }
        return try await wait(for: key)
    }

    /// Of the identity host; nil where nothing waits for it.
    package nonisolated var identityBreaker: BreakerGate? { breakers?.identity }

    /// Takes what an API says of a partner's sign-in for what the identity service would say: its commands fail from
    /// now on, until a redemption succeeds.
    package func refuse(partner: GUID, because error: CommandError) {
        refuse(partner, TokenFailure(.failed(error)), store.entry(of: partner)?.token)
    }

    private func refuse(_ partner: GUID, _ failure: TokenFailure, _ refreshToken: Secret?) {
        tokens.filter { key, _ in key.partnerTenantID != partner }
        guard refusals.refuse(partner, failure, with: refreshToken, at: clock.now) else { return }
        breakers?.onRefusedPartners(refusals.partners)
        logger.warning(
            "a partner has to sign in again; its commands fail until its token is replaced",
            metadata: ["application": "\(applicationID)", "partner": "\(partner)"]
        )
    }

    /// Redeems a partner's refresh token whatever is cached, which prolongs its life.
    /// - Throws: as ``token(for:)``.
    package func redeem(partner: GUID) async throws {
        _ = try await wait(for: Key(partnerTenantID: partner, tenantID: partner, api: .partnerCenter))
    }

    /// Drops a token that an API did not accept, unless it has been replaced already.
    package nonisolated func invalidate(_ token: AccessToken, for key: Key) { tokens.drop(token, for: key) }

    /// Drops a customer's tokens: after a grant or revoke they carry the old consent.
    package nonisolated func invalidate(tenant: GUID) { tokens.drop(tenant: tenant) }

    private func wait(for key: Key) async throws -> AccessToken {
        let waiter = Waiter()
        if redemptions[key] == nil { startRedemption(key) }
        redemptions[key, default: []].append(waiter)
        guard let result = await waiter.wait(orWhenCancelled: nil) else { throw CancellationError() }
        return try result.get()
    }

    /// A task of its own, because it serves every command that waits for this token and none may cancel it.
    private func startRedemption(_ key: Key) {
        redemptions[key] = []
        Task {
            let result: Result<AccessToken, TokenFailure>
            do throws(TokenFailure) {
                result = .success(try await redeem(key))
            } catch {
                result = .failure(error)
            }
            // None is kept of a partner that has to sign in again: nobody who finds a token asks further.
            if case .success(let token) = result, refusals[key.partnerTenantID] == nil {
                // Tenants that nobody asks for any more are forgotten with their tokens.
                let now = clock.now
                tokens.filter { _, token in now < token.refreshAt }
                tokens[key] = token
            }
            for waiter in redemptions.removeValue(forKey: key) ?? [] { waiter.resolve(result) }
        }
    }

    private func redeem(_ key: Key) async throws(TokenFailure) -> AccessToken {
        do throws(TokenFailure) {
            return try await breakers.untilDecided { () throws(TokenFailure) in try await ask(for: key) }
        } catch {
            // Expired in a customer's eyes: the partner's own tenant knows best whether the token itself is dead.
            guard key.tenantID != key.partnerTenantID, error.saysExpired else { throw error }
            _ = try await redeem(key.ofPartner)
            throw error.ofCustomer
        }
    }

    private func ask(for key: Key) async throws(TokenFailure) -> AccessToken {
        guard let refreshToken = store.entry(of: key.partnerTenantID)?.token else {
            throw TokenFailure(
                .failed(
                    CommandError(
                        .partnerNotConfigured,
                        "There is no refresh token for partner \(key.partnerTenantID)."
                    )
                )
            )
        }
        let started = clock.now
        let request = try request(key, refreshToken)
        let response: HTTPResponse
        do {
            response = try await gate.withPlace { try await client.send(request) }
        } catch let error as HTTPError {
            throw unreachable(error)
        } catch {
            throw unreachable(HTTPError(.cancelled, "the request for a token was cancelled", wasSent: false))
        }
        do {
            let token = try accept(response, key, refreshToken, started)
            if key == key.ofPartner, refusals.end(key.partnerTenantID) {
                breakers?.onRefusedPartners(refusals.partners)
            }
            return token
        } catch {
            if key.tenantID == key.partnerTenantID, error.saysExpired {
                refuse(key.partnerTenantID, error, refreshToken)
            }
            throw error
        }
    }

    private func request(_ key: Key, _ refreshToken: Secret) throws(TokenFailure) -> HTTPRequest {
        let endpoint = "\(endpoints.identity)/\(key.tenantID)/oauth2/v2.0/token"
        var form = [
            ("grant_type", "refresh_token"),
            ("client_id", applicationID.description),
            ("refresh_token", refreshToken.reveal()),
            ("scope", "\(endpoints.resource(of: key.api))/.default offline_access"),
        ]
        do {
            form += try credential.fields(applicationID: applicationID, endpoint: endpoint, now: wallClock.now)
        } catch {
            throw TokenFailure(.misconfigured(CommandError(.internalError, "The application's certificate \(error).")))
        }
        let body = form.map { "\($0)=\(GraphRequests.encoded($1))" }.joined(separator: "&")
        return HTTPRequest(
            .post,
            endpoint,
            headers: [
                HTTPHeader("Accept", "application/json"),
                HTTPHeader("Content-Type", "application/x-www-form-urlencoded"),
            ],
            body: Array(body.utf8),
            timeout: timeout
        )
    }

    private func accept(
        _ response: HTTPResponse,
        _ key: Key,
        _ redeemed: Secret,
        _ started: ContinuousClock.Instant
    ) throws(TokenFailure) -> AccessToken {
        let isPartner = key.tenantID == key.partnerTenantID
        let answer = try TokenAnswer(response, atPartner: isPartner, now: wallClock.now)
        // Only the partner's own redemption is kept: customers' would rewrite the file thousands of times an hour.
        if isPartner, let next = answer.refreshToken { keep(next, insteadOf: redeemed, key.partnerTenantID) }
        let margin = min(Self.margin, answer.lifetime / 2)
        return AccessToken(value: answer.accessToken, refreshAt: started + answer.lifetime - margin)
    }

    private func keep(_ token: Secret, insteadOf redeemed: Secret, _ partner: GUID) {
        // The partner may have signed in again since: that token is the newer one.
        guard token != redeemed, store.entry(of: partner)?.token == redeemed else { return }
        let entry = RefreshTokenStore.Entry(token: token, obtainedAt: wallClock.now)
        do throws(RefreshTokenStore.NotWritten) {
            try store.store(entry, of: partner)
            notWritten[partner] = nil
        } catch {
            // Each redemption brings a new token: said once for each reason.
            guard error != notWritten[partner] else { return }
            notWritten[partner] = error
            logger.notice(
                "a refresh token cannot be written back; renew it before it is 90 days old",
                metadata: ["application": "\(applicationID)", "partner": "\(partner)", "error": "\(error)"]
            )
        }
    }

    private func unreachable(_ error: HTTPError) -> TokenFailure {
        let category: ErrorCategory =
            error.code == .tlsVerificationFailed ? .tlsVerificationFailed : .identityUnavailable
        let error = CommandError(category, "The identity service did not answer. \(error)", source: .identity)
        return TokenFailure(.transient(error, outcomeUnknown: false, retryAfter: nil))
    }
}
