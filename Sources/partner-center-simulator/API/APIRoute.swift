/// One of the simulated APIs.
///
/// Reading is apart from answering, because the rate limit and the faults come between them, as at a gateway: they need
/// to know whom a request concerns, but a request that they stop must have no effect.
protocol APIRoute: Sendable {
    associatedtype Reading: Sendable

    /// Reads a request as far as possible, without judging it.
    func read(_ call: APICall) -> Reading

    func subject(of reading: Reading) -> Subject

    /// Judges the request and lets it take effect.
    func answer(_ call: APICall, _ reading: Reading) -> Outcome

    /// The API's own form of 429.
    func throttled(_ call: APICall, retryAfter: String) -> Answer

    /// Adds what every answer of the API carries, those of faults too.
    func decorate(_ answer: inout Answer, for call: APICall)
}
