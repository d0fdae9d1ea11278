import MicrosoftAPI

/// What keeps an application's requests from being sent, though nothing is wrong with its commands: an API or the
/// identity host is down, its credentials are refused, or an API has asked for a pause.
struct HoldUp: Sendable {
    let limiters: APILimiters
    let tokens: TokenBreakers

    var exists: Bool { tokens.isOpen || limiters.all.contains(where: \.isHeldUp) }

    /// Whether a command waits for its end.
    var keepsWaiting: Bool { tokens.keepsWaiting || limiters.all.contains(where: \.keepsWaiting) }
}
