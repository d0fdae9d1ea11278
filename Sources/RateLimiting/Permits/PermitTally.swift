import NIOConcurrencyHelpers

/// What became of the permits of one key in this process.
package struct PermitCounts: Sendable, Hashable {
    /// Permits used for a request.
    package var used = 0
    /// Permits that were held and laid to rest without a use.
    package var unused = 0
    /// How often this process has seeded the permits, the first time included.
    package var seedings = 0
}

final class PermitTally: Sendable {
    private let counts = NIOLockedValueBox(PermitCounts())

    var current: PermitCounts { counts.withLockedValue { $0 } }

    func rested(_ end: HeldPermit.End) {
        counts.withLockedValue { end == .used ? ($0.used += 1) : ($0.unused += 1) }
    }

    func seeded() { counts.withLockedValue { $0.seedings += 1 } }
}
