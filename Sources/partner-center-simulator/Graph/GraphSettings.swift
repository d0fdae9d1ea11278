/// Which appConsentRequests the tenants have.
struct GraphSettings: Codable, Sendable {
    /// One tenant's data: a number of generated items, or the items themselves.
    struct Tenant: Codable, Sendable {
        var count: Int?
        /// Served as they are given, so that values and gaps can be tested that a generator would not make up.
        var items: [JSON]?

        enum CodingKeys: String, CodingKey, CaseIterable { case count, items }

        init(count: Int) { self.count = count }

        init(from decoder: any Decoder) throws {
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            count = try values.decodeIfPresent(Int.self, forKey: .count)
            items = try values.decodeIfPresent([JSON].self, forKey: .items)
            guard (count == nil) != (items == nil) else { throw decoder.refuse("either count or items is needed") }
            guard (0...1_000_000).contains(count ?? 0) else { throw decoder.refuse("count is from 0 to 1000000") }
        }
    }

    /// Where the last page's link would be, or the next one's: a client must not follow it just anywhere.
    enum NextLink: String, Codable, Sendable {
        case normal
        /// To another host.
        case foreignHost
        /// To the page itself, for ever.
        case loop
    }

    var defaultCount = 3
    /// Items of a page where the client does not say ($top).
    var pageSize = 100
    var nextLink = NextLink.normal
    var tenants: [String: Tenant] = [:]

    enum CodingKeys: String, CodingKey, CaseIterable { case defaultCount, pageSize, nextLink, tenants }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        defaultCount = try values.decodeIfPresent(Int.self, forKey: .defaultCount) ?? 3
        pageSize = try values.decodeIfPresent(Int.self, forKey: .pageSize) ?? 100
        nextLink = try values.decodeIfPresent(NextLink.self, forKey: .nextLink) ?? .normal
        let named = try values.decodeIfPresent([String: Tenant].self, forKey: .tenants) ?? [:]
        tenants = Dictionary(named.map { ($0.key.lowercased(), $0.value) }) { _, last in last }
        guard pageSize > 0, (0...1_000_000).contains(defaultCount) else {
            throw decoder.refuse("pageSize must be above 0 and defaultCount from 0 to 1000000")
        }
    }
}
