/// Counts permits and tells when there are lastingly too many or too few of them. Pure.
///
/// Only what is ready can be counted; what pods hold is bounded by their consumers. Two counts are not one moment, so
/// a single odd one means nothing.
package struct PermitCensus: Sendable {
    /// In strict mode a request that hangs holds its permit without a consumer.
    package static func patience(_ terms: PermitTerms) -> Int { terms.strict ? 12 : 3 }

    private var epoch: String?
    private var breaches = 0

    package init() {}

    /// - Parameter ready: of both queues together.
    /// - Returns: true when the permits are to be seeded anew.
    package mutating func counted(
        ready: Int,
        consumers: Int,
        maxHeld: Int,
        of marker: PermitMarker
    ) -> Bool {
        if epoch != marker.epoch { reset() }
        epoch = marker.epoch
        let isWhole = ready <= marker.terms.requests && ready + consumers * maxHeld >= marker.terms.requests
        breaches = isWhole ? 0 : breaches + 1
        guard breaches >= Self.patience(marker.terms) else { return false }
        reset()
        return true
    }

    /// Counts before a gap say nothing about those after it.
    package mutating func reset() {
        breaches = 0
        epoch = nil
    }
}
