/// A command that was read and found valid. Described by `schemas/command.*.schema.json`.
package struct Command: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        case grant([ApplicationGrant])
        case revoke
        case query(Query)
    }

    package let commandID: GUID
    package let partnerTenantID: GUID
    package let customerID: GUID
    package let applicationID: GUID
    package let action: Action
    /// The customer's tenant where it differs from `customerID`.
    package let customerTenantID: GUID?
    package let displayName: String?
    package let issuedAt: Timestamp?
    package let deadline: Timestamp?
    package let dryRun: Bool
    package let requestedBy: String?

    package var kind: CommandKind {
        switch action {
        case .grant: .grant
        case .revoke: .revoke
        case .query: .query
        }
    }

    /// The tenant that holds the customer's directory.
    package var tenantID: GUID { customerTenantID ?? customerID }
}

/// Delegated permissions of one resource.
package struct ApplicationGrant: Sendable, Hashable {
    package let enterpriseApplicationID: GUID
    /// In the order given, trimmed.
    package let scopes: [String]
}
