import Resilience

/// One stretch of consuming from a queue: what ends the work on its deliveries.
struct Session: Sendable {
    /// Start nothing more, finish what runs.
    let drain = DrainSignal()
    /// The right to send for the application; nil where no order has to be kept.
    let lease: Lease?
    /// Knows which message is to run alone; nil where there is no owner.
    var suspicion: Suspicion?
    /// Starts one command only, in an outage: ends when that one has.
    var isProbing = false

    /// Whether a request may be written now.
    var maySend: Bool { lease?.isValid ?? true }
}
