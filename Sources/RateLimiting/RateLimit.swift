/// How many requests an API takes in any sliding window, and the margin for the way there.
package struct RateLimit: Sendable, Hashable {
    package var requests: Int
    /// The API's window.
    package var window: Duration
    /// The spread of one-way delay: the API counts arrivals, the limiter counts sends.
    package var margin: Duration

    package init(requests: Int, per window: Duration = .seconds(1), margin: Duration = .milliseconds(30)) {
        precondition(requests > 0 && window > .zero && margin >= .zero, "a limit that admits nothing")
        self.requests = requests
        self.window = window
        self.margin = margin
    }

    /// For how long a permit rests after its use.
    package var rest: Duration { window + margin }
}
