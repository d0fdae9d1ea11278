import FoundationEssentials

/// A plan file: who exists, what they hold, how the APIs behave. Everything is optional, unknown keys are refused.
struct SimulationPlan: Decodable, Sendable {
    struct Application: Decodable, Sendable {
        var clientID: GUIDValue
        /// Absent: any secret is right, or none where there is a certificate.
        var clientSecret: String?
        /// Needed for client assertions.
        var certificate: ApplicationCertificate?
    }

    struct Partner: Decodable, Sendable {
        var tenantID: GUIDValue
        var refreshTokens: [String]
        /// The applications that the partner has consented to; absent: all.
        var applications: Set<GUIDValue>?
    }

    struct Customer: Decodable, Sendable {
        var id: GUIDValue
        /// Absent: the same as `id`, as for nearly all real customers.
        var tenantID: GUIDValue?
        var partner: GUIDValue
    }

    var applications: [Application] = []
    var partners: [Partner] = []
    var customers: [Customer] = []
    /// Only what is listed is accepted.
    var strict = false
    /// Graph tokens need a consent for the customer first, else AADSTS65001.
    var requireConsentForGraph = false
    var consents: [ConsentPreset] = []
    var graph = GraphSettings()
    var faults: [Fault] = []
    var seed: UInt64 = 1
    var limit: RequestLimit?
    var limitGraph: RequestLimit?
    var windowMs: Int?
    var retryAfter: Int?
    var latencyMs: Int?
    var tokenLifetime: Int?
    var rotateRefreshTokens: Bool?

    struct Unreadable: Error, CustomStringConvertible {
        var description: String { "the file cannot be read" }
    }

    static func load(from path: String) throws -> SimulationPlan {
        let file = URL(filePath: path)
        guard let text = try? Data(contentsOf: file) else { throw Unreadable() }
        return try JSONText.decode(SimulationPlan.self, from: text, of: file.deletingLastPathComponent())
    }
}

extension SimulationPlan {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case applications, partners, customers, strict, requireConsentForGraph, consents, graph, faults, seed
        case limit, limitGraph, windowMs, retryAfter, latencyMs, tokenLifetime, rotateRefreshTokens
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        applications = try values.decodeIfPresent([Application].self, forKey: .applications) ?? []
        partners = try values.decodeIfPresent([Partner].self, forKey: .partners) ?? []
        customers = try values.decodeIfPresent([Customer].self, forKey: .customers) ?? []
        strict = try values.decodeIfPresent(Bool.self, forKey: .strict) ?? false
        requireConsentForGraph = try values.decodeIfPresent(Bool.self, forKey: .requireConsentForGraph) ?? false
        consents = try values.decodeIfPresent([ConsentPreset].self, forKey: .consents) ?? []
        graph = try values.decodeIfPresent(GraphSettings.self, forKey: .graph) ?? GraphSettings()
        faults = try values.decodeIfPresent([Fault].self, forKey: .faults) ?? []
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 1
        limit = try values.decodeIfPresent(RequestLimit.self, forKey: .limit)
        limitGraph = try values.decodeIfPresent(RequestLimit.self, forKey: .limitGraph)
        windowMs = try values.decodeIfPresent(Int.self, forKey: .windowMs)
        retryAfter = try values.decodeIfPresent(Int.self, forKey: .retryAfter)
        latencyMs = try values.decodeIfPresent(Int.self, forKey: .latencyMs)
        tokenLifetime = try values.decodeIfPresent(Int.self, forKey: .tokenLifetime)
        rotateRefreshTokens = try values.decodeIfPresent(Bool.self, forKey: .rotateRefreshTokens)
        guard windowMs ?? 1 > 0 else { throw decoder.refuse("windowMs must be above 0") }
        guard min(retryAfter ?? 0, latencyMs ?? 0, tokenLifetime ?? 0) >= 0 else {
            throw decoder.refuse("retryAfter, latencyMs and tokenLifetime must not be below 0")
        }
    }
}

extension SimulationPlan.Application {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case clientID = "clientId"
        case clientSecret, certificate
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        clientID = try values.decode(GUIDValue.self, forKey: .clientID)
        clientSecret = try values.decodeIfPresent(String.self, forKey: .clientSecret)
        certificate = try values.decodeIfPresent(ApplicationCertificate.self, forKey: .certificate)
    }
}

extension SimulationPlan.Partner {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case tenantID = "tenantId"
        case refreshToken, refreshTokens, applications
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        tenantID = try values.decode(GUIDValue.self, forKey: .tenantID)
        refreshTokens = try values.decodeIfPresent([String].self, forKey: .refreshTokens) ?? []
        if let single = try values.decodeIfPresent(String.self, forKey: .refreshToken) {
            refreshTokens.append(single)
        }
        applications = try values.decodeIfPresent(Set<GUIDValue>.self, forKey: .applications)
    }
}

extension SimulationPlan.Customer {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case id
        case tenantID = "tenantId"
        case partner
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        id = try values.decode(GUIDValue.self, forKey: .id)
        tenantID = try values.decodeIfPresent(GUIDValue.self, forKey: .tenantID)
        partner = try values.decode(GUIDValue.self, forKey: .partner)
    }
}
