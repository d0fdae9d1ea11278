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
    let budget: RetryBudget
    let timeout: Duration
    let fleet: Fleet
    let activity: ApplicationActivity
    let clock: any MonotonicClock
    let wallClock: any WallClock
    let logger: Logger

    enum Answer: Sendable {
        case succeeded(Effect, HTTPResponse)
        case ended(CommandResult)
    }

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
        var patience = Patience(since: clock.now)
        var throttles = 0
        var number = 0
        var renewedToken = false
        // An earlier delivery may have sent the request already.
        var mayHaveTakenEffect = message.deliveries > 1 && command.kind != .query
        while true {
            // A command that was delivered before is not expired until its request has been repeated.
            let mayExpire = patience.tries > 0 || message.deliveries == 1
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
                trace: message.traceContext
            )
            let request = build(identity)
            let attempt = try await attempt(
                request,
                command,
                message,
                mayExpire: mayExpire,
                classification,
                &patience,
                &ledger
            )
            if attempt.verdict.isDefinitive { budget.succeeded() }
            switch attempt.verdict {
            case .succeeded(let effect):
                if command.kind != .query { tokens.invalidate(tenant: command.tenantID) }
                return .succeeded(effect, attempt.response ?? HTTPResponse(status: 0))
            case .failed(let error), .misconfigured(let error):
                if attempt.token != nil, error.category == .partnerReauthorizationRequired {
                    await tokens.refuse(partner: command.partnerTenantID, because: error)
                }
                return .ended(.ended(error, effect: mayHaveTakenEffect ? .unknown : .none))
            case .unauthorized(let error):
                guard !renewedToken else {
                    return .ended(.ended(error, effect: mayHaveTakenEffect ? .unknown : .none))
                }
                renewedToken = true
                number += 1
                if let token = attempt.token { tokens.invalidate(token, for: tokenKey(command, request)) }
            case .throttled(_, let retryAfter):
                throttles += 1
                // Waiting is not failing: it is no attempt.
                ledger.attempts -= 1
                number += 1
                pause(request.api, command, message, retry.throttlePause(retryAfter: retryAfter, inARow: throttles))
            case .transient(let error, let outcomeUnknown, let retryAfter):
                if outcomeUnknown { mayHaveTakenEffect = true }
                let breaker = attempt.token == nil ? tokens.identityBreaker : limiters[request.api].breaker
                let party = command.customerID.description
                // Down for everyone: no failure of this command.
                if let breaker, breaker.isOpen {
                    patience = Patience(since: clock.now)
                    continue
                }
                breaker?.note(failureOf: party)
                patience.tries += 1
                let decision = retry.decide(
                    attempts: patience.tries,
                    elapsed: clock.now - patience.since,
                    remaining: command.deadline.map { $0 - wallClock.now },
                    retryAfter: retryAfter
                )
                switch decision {
                case .retry(let delay): try await rest(delay, message, &patience, &ledger)
                case .giveUp(.deadline):
                    let expired = CommandError(.deadlineExceeded, "The command's deadline passes before the next try.")
                    return .ended(.ended(expired, effect: mayHaveTakenEffect ? .unknown : .none))
                case .giveUp:
                    if let breaker, breaker.opens(insteadOfGivingUpBy: party, since: patience.firstTry) {
                        patience = Patience(since: clock.now)
                        continue
                    }
                    return .ended(.ended(error, effect: mayHaveTakenEffect ? .unknown : .none))
                }
            }
        }
    }

    /// What a command has used of the retries that it is allowed.
    private struct Patience {
        var tries = 0
        /// Later than the first try by all the time that the command waited for others.
        var since: ContinuousClock.Instant
        let firstTry: ContinuousClock.Instant

        var precedence: Precedence { tries == 0 ? .firstTry : .retry }

        init(since: ContinuousClock.Instant) {
            self.since = since
            firstTry = since
        }

        mutating func wait(_ duration: Duration) { since += duration }
    }

    /// A wait in which nothing is found out about a token.
    private static let briefWait = Duration.milliseconds(50)

    private struct Attempt {
        var verdict: Verdict
        /// nil if the request was not made for want of one.
        var token: TokenProvider.AccessToken?
        var response: HTTPResponse?
    }

    private func attempt(
        _ request: APIRequest,
        _ command: Command,
        _ message: ReceivedMessage,
        mayExpire: Bool,
        _ classification: Classification,
        _ patience: inout Patience,
        _ ledger: inout Ledger
    ) async throws -> Attempt {
        let session = message.session
        let bounds = limiters[request.api]
        while true {
            let key = tokenKey(command, request)
            let token: TokenProvider.AccessToken
            do {
                token = try await self.token(for: key, message, &patience, &ledger)
            } catch let failure as TokenFailure {
                return Attempt(verdict: failure.verdict)
            }
            let authorized = clock.now
            let pass = try await pass(bounds, message, &patience, &ledger)
            let asked = clock.now
            let permit: any SendPermit
            do {
                permit = try await self.permit(bounds, message, patience.precedence)
            } catch {
                pass.abandoned()
                throw error
            }
            let granted = clock.now
            ledger.limiter += granted - asked
            patience.wait(granted - asked)
            // The wait may have been long; an expired command spends no permit, nor does one in an outage.
            let expiry = mayExpire ? expiry(of: command) : nil
            // Nor does it send a token that another command has found to be refused meanwhile.
            let current = granted - authorized > Self.briefWait ? tokens.cachedToken(for: key) : token
            guard expiry == nil, pass.isValid, let current else {
                permit.finish()
                bounds.inFlight.leave()
                pass.abandoned()
                if let expiry { return Attempt(verdict: .failed(expiry)) }
                continue
            }
            let result = await send(request, current, permit, message)
            bounds.inFlight.leave()
            var attempt = Attempt(verdict: .succeeded(.none), token: current)
            switch result {
            case .failure(let error) where error.code == .sendRefused:
                pass.abandoned()
                // Nothing was sent. Without the lease the command goes back; a permit that was too old is replaced.
                guard session.maySend else { throw CancellationError() }
                continue
            case .success(let response):
                ledger.trace = response.trace
                attempt.response = response
                attempt.verdict = classification.verdict(on: response, now: wallClock.now)
            case .failure(let error):
                if Task.isCancelled {
                    // The connection to the broker is gone, or the grace period is over.
                    pass.abandoned()
                    throw CancellationError()
                }
                attempt.verdict = classification.verdict(on: error)
            }
            switch attempt.verdict {
            case .transient: pass.failed()
            case .throttled: pass.throttled()
            default: pass.succeeded()
            }
            ledger.attempts += 1
            ledger.api += clock.now - granted
            activity.answered(request.api, attempt.verdict)
            return attempt
        }
    }

    /// Waits while the API is down. What went before is forgotten then: it was not the command's failure.
    private func pass(
        _ bounds: APIBounds,
        _ message: ReceivedMessage,
        _ patience: inout Patience,
        _ ledger: inout Ledger
    ) async throws -> BreakerGate.Pass {
        if let pass = bounds.breaker.enterAtOnce() { return pass }
        let started = clock.now
        let step = message.trace?.begin("outage wait")
        defer {
            step?.end()
            patience = Patience(since: clock.now)
            ledger.retryWait += clock.now - started
        }
        return try await message.session.drain.cancelWhenRaised { try await bounds.breaker.enter() }
    }

    /// Sends nothing to the API for a while, on all pods.
    private func pause(_ api: API, _ command: Command, _ message: ReceivedMessage, _ duration: Duration) {
        let end = clock.now + duration
        // Those that were under way are throttled too: one warning tells of them all.
        let level: Logger.Level = limiters[api].limiter.isPaused ? .debug : .warning
        limiters[api].limiter.pause(until: end)
        fleet.announcePause(api, command.applicationID, until: end)
        logger.log(
            level: level,
            "throttled by the API",
            metadata: [
                "correlationId": "\(message.correlationID ?? command.commandID.description)",
                "application": "\(command.applicationID)", "api": "\(api)", "pause": "\(duration.milliseconds)ms",
            ]
        )
    }

    /// Draining ends the wait for a token that is not there yet. While none can be had, it is a wait for others.
    private func token(
        for key: TokenProvider.Key,
        _ message: ReceivedMessage,
        _ patience: inout Patience,
        _ ledger: inout Ledger
    ) async throws -> TokenProvider.AccessToken {
        if let token = tokens.cachedToken(for: key) { return token }
        let started = clock.now
        let step = message.trace?.begin("token wait")
        defer {
            step?.end()
            patience.wait(clock.now - started)
            ledger.retryWait += clock.now - started
        }
        let tokens = tokens
        return try await message.session.drain.cancelWhenRaised { try await tokens.token(for: key) }
    }

    private func send(
        _ request: APIRequest,
        _ token: TokenProvider.AccessToken,
        _ permit: any SendPermit,
        _ message: ReceivedMessage
    ) async -> Result<HTTPResponse, HTTPError> {
        defer { permit.finish() }
        activity.requestBegan(request.api)
        defer { activity.requestEnded(request.api) }
        let session = message.session
        let traced = message.trace?.request(request)
        var request = request
        if let traced { request.trace = traced.context }
        let result: Result<HTTPResponse, HTTPError>
        do throws(HTTPError) {
            result = .success(
                try await client.send(
                    request.http(
                        token: token.value,
                        timeout: timeout,
                        onSend: { [api = request.api] in session.maySend && permit.use() && activity.permitUsed(api) },
                        onSent: { permit.sent() }
                    )
                )
            )
        } catch {
            result = .failure(error)
        }
        traced?.step.end(result)
        return result
    }

    /// Waits for a place among the requests under way, then for a permit. Draining ends the wait.
    private func permit(
        _ bounds: APIBounds,
        _ message: ReceivedMessage,
        _ precedence: Precedence
    ) async throws -> any SendPermit {
        let step = message.trace?.begin("limiter wait")
        defer { step?.end() }
        let drain = message.session.drain
        try await bounds.inFlight.enter(precedence, until: drain)
        do {
            if let permit = bounds.limiter.acquireAtOnce() { return permit }
            return try await drain.cancelWhenRaised { try await bounds.limiter.acquire(precedence) }
        } catch {
            bounds.inFlight.leave()
            throw error
        }
    }

    /// Waits before another try, and longer if the application has used up its retries.
    private func rest(
        _ duration: Duration,
        _ message: ReceivedMessage,
        _ patience: inout Patience,
        _ ledger: inout Ledger
    ) async throws {
        let started = clock.now
        let step = message.trace?.begin("retry wait")
        defer { step?.end() }
        let (clock, budget, session) = (clock, budget, message.session)
        try await session.drain.cancelWhenRaised { try await clock.sleep(for: duration) }
        let rested = clock.now
        try await session.drain.cancelWhenRaised { try await budget.spend() }
        patience.wait(clock.now - rested)
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
