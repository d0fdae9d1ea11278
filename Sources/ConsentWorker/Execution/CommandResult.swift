import ConsentContract
import JSON

/// How a command ended, before it is told to anyone.
struct CommandResult: Sendable {
    let outcome: Outcome
    let effect: Effect
    let error: CommandError?
    let result: JSONValue?

    static func succeeded(_ effect: Effect, result: JSONValue? = nil) -> CommandResult {
        CommandResult(outcome: .succeeded, effect: effect, error: nil, result: result)
    }

    /// The category says whether it failed, expired or was rejected.
    static func ended(_ error: CommandError, effect: Effect = .none) -> CommandResult {
        CommandResult(outcome: error.category.outcome, effect: effect, error: error, result: nil)
    }
}

/// What a command has used so far.
struct Ledger: Sendable {
    var attempts = 0
    var limiter = Duration.zero
    var api = Duration.zero
    var retryWait = Duration.zero
    var trace: ResultEvent.APITrace?
}
