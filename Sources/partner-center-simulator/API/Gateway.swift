import HTTPTypes

/// The way of every API request: arrival noted, limit, faults, the API itself, arrival completed.
struct Gateway: Sendable {
    let arrivals: ArrivalLog
    let limits: RateLimits
    let faults: FaultInjector
    let tokens: TokenStore
    let latencyMs: Int

    func respond<Route: APIRoute>(to call: APICall, through route: Route) async throws -> Answer {
        var reading = route.read(call)
        let subject = route.subject(of: reading)
        let admitted = limits.admit(call.kind, application: subject.application, at: call.arrivedAt)
        // Noted before anything can take time: a request that hangs shows too.
        let number = arrivals.begin(call, subject: subject, admitted: admitted)

        var outcome: Outcome
        var faultIDs: [String] = []
        if admitted {
            let injection = faults.take(for: call, subject: subject)
            faultIDs = injection.ids
            if injection.expiresTokens {
                tokens.expireAll(at: call.arrivedAt)
                reading = route.read(call)
            }
            try await pause(milliseconds: latencyMs + injection.latencyBeforeEffectMs)
            if let action = injection.answerBeforeEffect {
                outcome = Outcome(action.answer(insteadOf: nil, through: route, for: call, limits: limits))
            } else {
                outcome = route.answer(call, reading)
                try await pause(milliseconds: injection.latencyAfterEffectMs)
                if let action = injection.answerAfterEffect {
                    outcome.answer = action.answer(
                        insteadOf: outcome.answer,
                        through: route,
                        for: call,
                        limits: limits
                    )
                }
            }
        } else {
            outcome = Outcome(route.throttled(call, retryAfter: String(limits.retryAfter)))
        }
        route.decorate(&outcome.answer, for: call)
        // Completed before the answer is written: a client that has its answer finds the arrival complete.
        arrivals.complete(number, with: outcome, faults: faultIDs)
        return outcome.answer
    }

    private func pause(milliseconds: Int) async throws {
        if milliseconds > 0 { try await Task.sleep(for: .milliseconds(milliseconds)) }
    }
}
