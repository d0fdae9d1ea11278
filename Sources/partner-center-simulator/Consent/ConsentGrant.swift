/// The scopes of one resource API that an application gets.
struct ConsentGrant: Codable, Equatable, Sendable {
    var enterpriseApplicationId: String
    var scope: String
}

/// The body of a grant. As with the real API, the case of member names does not matter and unknown ones are ignored.
struct ConsentBody: Decodable, Sendable {
    var applicationID: String
    var grants: [ConsentGrant]
    var displayName: String?

    init(from decoder: any Decoder) throws {
        let values = try CaseInsensitiveMembers(decoder)
        applicationID = try values.guid("applicationId")
        displayName = try values.decodeIfPresent(String.self, "displayName")
        grants = try values.decodeIfPresent([Grant].self, "applicationGrants")?.map(\.grant) ?? []
        guard !grants.isEmpty else { throw decoder.refuse("applicationGrants is missing or empty") }
    }

    private struct Grant: Decodable {
        var grant: ConsentGrant

        init(from decoder: any Decoder) throws {
            let values = try CaseInsensitiveMembers(decoder)
            let scope = try values.decodeIfPresent(String.self, "scope") ?? ""
            guard scope.contains(where: { $0 != " " && $0 != "," }) else {
                throw decoder.refuse("scope is missing or empty")
            }
            grant = ConsentGrant(enterpriseApplicationId: try values.guid("enterpriseApplicationId"), scope: scope)
        }
    }
}

private struct CaseInsensitiveMembers {
    private let decoder: any Decoder
    private let container: KeyedDecodingContainer<AnyKey>

    init(_ decoder: any Decoder) throws {
        self.decoder = decoder
        container = try decoder.container(keyedBy: AnyKey.self)
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value? {
        // Nearly all clients use the documented case; only the others pay for the search.
        let exact = AnyKey(stringValue: name)
        if container.contains(exact) { return try container.decodeIfPresent(type, forKey: exact) }
        let lowercased = name.lowercased()
        let key = container.allKeys.first { $0.stringValue.lowercased() == lowercased }
        return try key.flatMap { try container.decodeIfPresent(type, forKey: $0) }
    }

    func guid(_ name: String) throws -> String {
        guard let text = try decodeIfPresent(String.self, name), let guid = Identifiers.normalizedGUID(text) else {
            throw decoder.refuse("\(name) is missing or no GUID")
        }
        return guid
    }
}
