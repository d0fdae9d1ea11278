/// The applications, partners and customers of the plan.
///
/// Without `strict` it is a list of names for what a request shows anyway, and everybody else is welcome.
struct TenantDirectory: Sendable {
    struct Customer: Sendable {
        var id: String
        var tenant: String
        var partner: String
    }

    let isStrict: Bool
    private var applications: [String: SimulationPlan.Application] = [:]
    private var partnersByRefreshToken: [String: String] = [:]
    private var applicationsByPartner: [String: Set<String>?] = [:]
    private var customersByID: [String: Customer] = [:]
    private var customersByTenant: [String: Customer] = [:]

    init(plan: SimulationPlan) {
        isStrict = plan.strict
        for application in plan.applications {
            applications[application.clientID.text] = application
        }
        for partner in plan.partners {
            let applications = partner.applications.map { Set($0.map(\.text)) }
            applicationsByPartner.updateValue(applications, forKey: partner.tenantID.text)
            for token in partner.refreshTokens { partnersByRefreshToken[token] = partner.tenantID.text }
        }
        for customer in plan.customers {
            let entry = Customer(
                id: customer.id.text,
                tenant: (customer.tenantID ?? customer.id).text,
                partner: customer.partner.text
            )
            customersByID[entry.id] = entry
            customersByTenant[entry.tenant] = entry
        }
    }

    enum Secret: Equatable {
        case any
        case exactly(String)
        case none
    }

    /// Which secret `application` proves itself with.
    func secret(of application: String) -> Secret {
        guard let listed = applications[application] else { return isStrict ? .none : .any }
        if let secret = listed.clientSecret { return .exactly(secret) }
        return listed.certificate == nil ? .any : .none
    }

    func certificate(of application: String) -> ApplicationCertificate? {
        applications[application]?.certificate
    }

    func partner(ofRefreshToken token: String) -> String? {
        partnersByRefreshToken[token]
    }

    func isPartner(_ tenant: String) -> Bool {
        applicationsByPartner[tenant] != nil
    }

    /// Whether the partner has consented to the application.
    func partner(_ partner: String, accepts application: String) -> Bool {
        guard let listed = applicationsByPartner[partner] else { return !isStrict }
        return listed?.contains(application) ?? true
    }

    func customer(id: String) -> Customer? { customersByID[id] }

    func customer(tenant: String) -> Customer? { customersByTenant[tenant] }
}
