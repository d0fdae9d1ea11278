package import Resilience

/// Bounds the requests sent for one limit key (an API and an application).
package protocol RateLimiter: Sendable {
    /// Waits, in the order of a `WaitingLine`, until one more request may be sent.
    /// - Throws: `CancellationError` when the task is cancelled meanwhile; nothing is taken then.
    func acquire(_ precedence: Precedence) async throws -> any SendPermit

    /// What ``acquire(_:)`` gives where nobody need wait; nil otherwise.
    func acquireAtOnce() -> (any SendPermit)?

    /// Sends nothing before `instant`, because the API said so; of several pauses the longest counts.
    func pause(until instant: ContinuousClock.Instant)

    /// Whether such a pause holds.
    var isPaused: Bool { get }
}

extension RateLimiter {
    package func acquire() async throws -> any SendPermit { try await acquire(.firstTry) }
}

/// The right to send one request. Ends with one ``finish()``.
package protocol SendPermit: Sendable {
    /// Called when the request is about to be written, at most once; false forbids it.
    func use() -> Bool

    /// Called when the request has been handed to the network, at most once and only after a ``use()`` that was true.
    func sent()

    /// Called when the request is over, or will not be sent after all: an unused permit goes back.
    func finish()
}
