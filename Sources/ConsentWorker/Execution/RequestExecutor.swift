import ConsentContract
import HTTP
import Logging
import MicrosoftAPI
import RateLimiting
import Resilience

/// Brings one request of a command to a definitive answer: token, permit, send, classify, and again if that helps.
struct RequestExecutor: Sendable {
    let client: HTTPClient
    let tokens: TokenProvider
    let limiters: APILimiters
    let retry: RetryPolicy
    let timeout: Duration
    let health: WorkerHealth
    let fleet: Fleet
    let clock: any MonotonicClock
    let wallClock: any WallClock
    let logger: Logger

    enum Answer: Sendable {
        case succeeded(Effect, HTTPResponse)
        case ended(CommandResult)
    }

    /// How long an application rests while its credentials are refused.
    private static let misconfiguredPause = Duration.seconds(10)

    /// - Parameters:
    ///   - step: names the request within the command; part of its `ms-requestid`.
    ///   - build: makes the request with the identity of a try.
    /// - Throws: `CancellationError` when the worker drains or lost its connection: the command then goes back.
    func execute(
        _ command: Command,
        _ message: ReceivedMessage,
        step: String,
        ledger: inout Ledger,
        build: (RequestIdentity) -> APIRequest
    ) async throws -> Answer {
        let classification = Classification(command.kind, api: command.api)
        let started = clock.now
        var waited = Duration.zero
        var tries = 0
        var throttles = 0
        var number = 0
        var renewedToken = false
        // An earlier delivery may have sent the request already.
        var mayHaveTakenEffect = message.deliveries > 1 && command.kind != .query
        while true {
            // A command that was delivered before is not expired until its request has been repeated.
            let mayExpire = tries > 0 || message.deliveries == 1
            if mayExpire, let error = expiry(of: command) {
                return .ended(.ended(error, effect: mayHaveTakenEffect ? .unknown : .none))
            }
            let identity = RequestIdentity(
                requestID: Identifiers.request(
                    command: command.commandID,
                    generation: message.generation,
                    step: step,
                    number: number
                ),
                correlationID: Identifiers.correlation(message.correlationID ?? command.commandID.description),
                traceparent: message.traceparent
            )
            let request = build(identity)
            let attempt = try await attempt(
                request,
                command,
                message.session,
                mayExpire: mayExpire,
                classification,
                &ledger
            )
            waited += attempt.waited
            if attempt.token != nil { health.clearMisconfiguration(of: command.applicationID) }
            switch attempt.verdict {
            case .succeeded(let effect):
                if command.kind != .query { await tokens.invalidate(tenant: command.tenantID) }
                return .succeeded(effect, attempt.response ?? HTTPResponse(status: 0))
            case .failed(let error):
                return .ended(.ended(error, effect: mayHaveTakenEffect ? .unknown : .none))
            case .unauthorized(let error):
                guard !renewedToken else {
                    return .ended(.ended(error, effect: mayHaveTakenEffect ? .unknown : .none))
                }
                renewedToken = true
                number += 1
                if let token = attempt.token { await tokens.invalidate(token, for: tokenKey(command, request)) }
            case .throttled(_, let retryAfter):
                throttles += 1
                // Waiting is not failing: it is no attempt.
                ledger.attempts -= 1
                number += 1
                let pause = retry.throttlePause(retryAfter: retryAfter, inARow: throttles)
                let end = clock.now + pause
                limiters[request.api].limiter.pause(until: end)
                fleet.announcePause(request.api, command.applicationID, until: end)
                logger.warning(
                    "throttled by the API",
                    metadata: ["application": "\(command.applicationID)", "pause": "\(pause.milliseconds)ms"]
                )
            case .misconfigured(let error):
                if health.reportMisconfiguration(of: command.applicationID, "\(error.message)") {
                    logger.error(
                        "the application's credentials are refused; its commands wait",
                        metadata: ["application": "\(command.applicationID)", "code": "\(error.code ?? "")"]
                    )
                }
                waited += Self.misconfiguredPause
                try await sleep(Self.misconfiguredPause, message.session, &ledger)
            case .transient(let error, let outcomeUnknown, let retryAfter):
                tries += 1
                if outcomeUnknown { mayHaveTakenEffect = true }
                var generator = SystemRandomNumberGenerator()
                let decision = retry.decide(
                    attempts: tries,
                    elapsed: clock.now - started - waited,
                    remaining: command.deadline.map { $0 - wallClock.now },
                    retryAfter: retryAfter,
                    using: &generator
                )
                switch decision {
                case .retry(let delay): try await sleep(delay, message.session, &ledger)
                case .giveUp(.deadline):
                    let expired = CommandError(.deadlineExceeded, "The command's deadline passes before the next try.")
                    return .ended(.ended(expired, effect: mayHaveTakenEffect ? .unknown : .none))
                case .giveUp:
                    return .ended(.ended(error, effect: mayHaveTakenEffect ? .unknown : .none))
                }
            }
        }
    }

    private struct Attempt {
        var verdict: Verdict
        var token: TokenProvider.AccessToken?
        var response: HTTPResponse?
        /// Time spent waiting for a permit: it does not count against the command.
        var waited = Duration.zero
    }

    private func attempt(
        _ request: APIRequest,
        _ command: Command,
        _ session: Session,
        mayExpire: Bool,
        _ classification: Classification,
        _ ledger: inout Ledger
    ) async throws -> Attempt {
        let token: TokenProvider.AccessToken
        do {
            token = try await self.token(for: tokenKey(command, request), session)
        } catch let failure as TokenFailure {
            return Attempt(verdict: failure.verdict)
        }
        while true {
            let asked = clock.now
            let (permit, granted) = try await permit(for: request.api, session)
            ledger.limiter += granted - asked
            // The wait may have been long; an expired command spends no permit.
            if mayExpire, let error = expiry(of: command) {
                permit.finish()
                limiters[request.api].inFlight.leave()
                return Attempt(verdict: .failed(error))
            }
            let result = await send(request, token, permit, session)
            limiters[request.api].inFlight.leave()
            var attempt = Attempt(verdict: .succeeded(.none), token: token, waited: granted - asked)
            switch result {
            case .failure(let error) where error.code == .sendRefused:
                // Nothing was sent. Without the lease the command goes back; a permit that was too old is replaced.
                guard session.maySend else { throw CancellationError() }
                continue
            case .success(let response):
                ledger.trace = response.trace
                attempt.response = response
                attempt.verdict = classification.verdict(on: response, now: wallClock.now)
            case .failure(let error):
                // Cancelled with its task: the connection to the broker is gone, or the grace period is over.
                try Task.checkCancellation()
                attempt.verdict = classification.verdict(on: error)
            }
            ledger.attempts += 1
            ledger.api += clock.now - granted
            return attempt
        }
    }

    /// Draining ends the wait for a token that is not there yet.
    private func token(for key: TokenProvider.Key, _ session: Session) async throws -> TokenProvider.AccessToken {
        if let token = await tokens.cachedToken(for: key) { return token }
        let tokens = tokens
        return try await session.drain.cancelWhenRaised { try await tokens.token(for: key) }
    }

    private func send(
        _ request: APIRequest,
        _ token: TokenProvider.AccessToken,
        _ permit: any SendPermit,
        _ session: Session
    ) async -> Result<HTTPResponse, HTTPError> {
        defer { permit.finish() }
        do throws(HTTPError) {
            return .success(
                try await client.send(
                    request.http(
                        token: token.value,
                        timeout: timeout,
                        onSend: { session.maySend && permit.use() },
                        onSent: { permit.sent() }
                    )
                )
            )
        } catch {
            return .failure(error)
        }
    }

    /// Waits for a place among the requests under way, then for a permit. Draining ends the wait.
    private func permit(for api: API, _ session: Session) async throws -> (any SendPermit, ContinuousClock.Instant) {
        let bounds = limiters[api]
        let permit = try await session.drain.cancelWhenRaised {
            try await bounds.inFlight.enter()
            do {
                return try await bounds.limiter.acquire()
            } catch {
                bounds.inFlight.leave()
                throw error
            }
        }
        return (permit, clock.now)
    }

    private func sleep(_ duration: Duration, _ session: Session, _ ledger: inout Ledger) async throws {
        let started = clock.now
        let clock = clock
        try await session.drain.cancelWhenRaised { try await clock.sleep(for: duration) }
        ledger.retryWait += clock.now - started
    }

    private func tokenKey(_ command: Command, _ request: APIRequest) -> TokenProvider.Key {
        TokenProvider.Key(
            partnerTenantID: command.partnerTenantID,
            tenantID: request.tenantID,
            api: request.api
        )
    }

    func expiry(of command: Command) -> CommandError? {
        guard let deadline = command.deadline, wallClock.now >= deadline else { return nil }
        return CommandError(.deadlineExceeded, "The command's deadline \(deadline) has passed.")
    }
}

extension Command {
    /// The API that carries the command out.
    var api: API { kind == .query ? .graph : .partnerCenter }
}

extension HTTPResponse {
    /// Microsoft's identifiers, as either API names them.
    fileprivate var trace: ResultEvent.APITrace {
        ResultEvent.APITrace(
            status: status,
            requestID: self[header: "ms-requestid"] ?? self[header: "request-id"],
            correlationID: self[header: "ms-correlationid"] ?? self[header: "client-request-id"],
            serverID: self[header: "ms-serverid"]
        )
    }
}
