/// The refresh tokens that were newly issued, so that a test can compare them with what the worker kept.
///
/// A token that is handed back unchanged, without rotation, is not a new one.
struct RefreshTokenLedger: Sendable {
    /// Those of one application for one partner.
    struct Account: Encodable, Equatable, Sendable {
        /// nil if nothing tells whose user it is.
        var partner: String?
        var application: String
        var issued = 0
        var latest = ""
        /// The same by the tenant that was asked: the partner's own, and those of customers.
        var tenants: [Tenant] = []

        private enum CodingKeys: String, CodingKey { case partner, application, issued, latest, tenants }

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(partner, forKey: .partner)
            try values.encode(application, forKey: .application)
            try values.encode(issued, forKey: .issued)
            try values.encode(latest, forKey: .latest)
            try values.encode(tenants, forKey: .tenants)
        }
    }

    struct Tenant: Encodable, Equatable, Sendable {
        var tenant: String
        var issued = 0
        var latest = ""
    }

    private struct Owner: Hashable {
        var partner: String?
        var application: String
    }

    private var tenantsByOwner: [Owner: [String: Tenant]] = [:]
    private var latestByOwner: [Owner: String] = [:]

    mutating func note(_ token: String, partner: String?, application: String, tenant: String) {
        let owner = Owner(partner: partner, application: application)
        latestByOwner[owner] = token
        tenantsByOwner[owner, default: [:]][tenant, default: Tenant(tenant: tenant)].issued += 1
        tenantsByOwner[owner]?[tenant]?.latest = token
    }

    /// Sorted by partner and application.
    var accounts: [Account] {
        tenantsByOwner
            .map { owner, tenants in
                Account(
                    partner: owner.partner,
                    application: owner.application,
                    issued: tenants.values.reduce(0) { $0 + $1.issued },
                    latest: latestByOwner[owner] ?? "",
                    tenants: tenants.values.sorted { $0.tenant < $1.tenant }
                )
            }
            .sorted { ($0.partner ?? "", $0.application) < ($1.partner ?? "", $1.application) }
    }
}
