/// How a command ended.
package enum Outcome: String, Sendable, Hashable, CaseIterable {
    case succeeded, failed, rejected, expired
}

/// What a command did.
package enum Effect: String, Sendable, Hashable, CaseIterable {
    case granted
    /// Some consent exists: not a promise that it has these scopes.
    case alreadyGranted
    case revoked, alreadyRevoked, read
    /// A dry run.
    case planned
    case none
    /// A write whose outcome could not be learned.
    case unknown
}
