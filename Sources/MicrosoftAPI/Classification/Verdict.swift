package import ConsentContract

/// What the answer to one request, or its absence, means for the command.
package enum Verdict: Sendable, Hashable {
    case succeeded(Effect)
    /// The same request would end the same way.
    case failed(CommandError)
    /// Another try may help. `outcomeUnknown`: this one may have taken effect.
    case transient(CommandError, outcomeUnknown: Bool, retryAfter: Duration?)
    /// The API takes no more of this application's requests for a while.
    case throttled(CommandError, retryAfter: Duration?)
    /// The token was not accepted; a new one may be.
    case unauthorized(CommandError)
    /// The operator must mend the configuration; no command is failed for it.
    case misconfigured(CommandError)

    /// Whether whoever answered did its work, whatever it said.
    package var isDefinitive: Bool {
        switch self {
        case .succeeded, .failed, .unauthorized: true
        case .transient, .throttled, .misconfigured: false
        }
    }
}

extension TokenFailure {
    /// What an event would say of it; nil only for a verdict that is no failure.
    package var error: CommandError? {
        switch verdict {
        case .succeeded: nil
        case .failed(let error), .transient(let error, _, _), .throttled(let error, _), .unauthorized(let error),
            .misconfigured(let error):
            error
        }
    }
}
