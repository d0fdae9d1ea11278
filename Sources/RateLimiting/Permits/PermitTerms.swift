import Resilience

/// What the permits of a key add up to: how many there are, for how long each rests, and from when on.
package struct PermitTerms: Sendable, Hashable {
    package var requests: Int
    package var restMilliseconds: Int
    /// Rests from the answer on, not from the send on.
    package var strict: Bool

    package init(requests: Int, restMilliseconds: Int, strict: Bool) {
        self.requests = requests
        self.restMilliseconds = restMilliseconds
        self.strict = strict
    }

    package init(_ limit: RateLimit, strict: Bool) {
        // Whole milliseconds are what the broker takes: never fewer than asked for.
        let rest = limit.rest
        let milliseconds = rest.milliseconds
        self.init(
            requests: limit.requests,
            restMilliseconds: .milliseconds(milliseconds) < rest ? milliseconds + 1 : milliseconds,
            strict: strict
        )
    }

    package var rest: Duration { .milliseconds(restMilliseconds) }

    /// How many permits one pod holds at most. Few, because others go without them; in strict mode a request
    /// keeps its permit until the answer.
    /// - Parameter maxHeld: the requests that the pod has under way at most.
    package func prefetch(maxHeld: Int) -> UInt16 {
        UInt16(clamping: strict ? max(1, min(maxHeld, requests)) : (requests + 49) / 50)
    }
}
