/// The query options of a list, checked.
struct ODataQuery: Sendable {
    struct Order: Equatable, Sendable {
        var property: String
        var descending: Bool
    }

    var filter: ODataFilter?
    var order: Order?
    var select: [String]?
    var top: Int?
    /// Items to leave out: $skip, or where the page of a $skiptoken begins.
    var offset = 0

    /// What a resource supports.
    struct Support: Sendable {
        var filter: Set<String>
        var collections: [String: Set<String>] = [:]
        var order: Set<String>
        var select: Set<String>
    }

    init(_ fields: FormFields, support: Support) throws(GraphError) {
        for field in fields.pairs {
            switch field.name {
            case "$filter":
                filter = try ODataFilter(field.value, properties: support.filter, collections: support.collections)
            case "$orderby":
                order = try Self.order(field.value, support: support)
            case "$select":
                select = try Self.select(field.value, support: support)
            case "$top":
                top = try Self.number(field, in: 1...999)
            case "$skip":
                offset = try Self.number(field, in: 0...1_000_000_000)
            case "$skiptoken":
                offset = try Self.offset(ofToken: field.value)
            case "$count":
                // The count is always there.
                break
            default:
                throw .badRequest("Query option '\(field.name)' is not allowed.")
            }
        }
    }

    static func token(forOffset offset: Int) -> String {
        "p" + String(offset, radix: 36)
    }

    private static func offset(ofToken token: String) throws(GraphError) -> Int {
        guard token.first == "p", let offset = Int(token.dropFirst(), radix: 36), (0...1_000_000_000).contains(offset)
        else {
            throw .badRequest("Skip token is invalid.")
        }
        return offset
    }

    private static func number(_ field: FormFields.Pair, in range: ClosedRange<Int>) throws(GraphError) -> Int {
        guard let number = Int(field.value), range.contains(number) else {
            throw .badRequest("Invalid value '\(field.value)' for \(field.name) query option found.")
        }
        return number
    }

    private static func order(_ text: String, support: Support) throws(GraphError) -> Order {
        let words = text.split(separator: " ").map(String.init)
        guard let property = words.first, support.order.contains(property), words.count <= 2,
            ["asc", "desc"].contains(words.dropFirst().first ?? "asc")
        else { throw .badRequest("Invalid value '\(text)' for $orderby query option found.") }
        return Order(property: property, descending: words.last == "desc")
    }

    private static func select(_ text: String, support: Support) throws(GraphError) -> [String] {
        let names = text.split(separator: ",").map { $0.filter { $0 != " " } }
        if let unknown = names.first(where: { !support.select.contains($0) }) {
            throw .badRequest("Could not find a property named '\(unknown)'.")
        }
        return names
    }
}

extension ODataQuery {
    struct Page: Equatable, Sendable {
        var items: [JSON]
        /// How many there are on all pages.
        var count: Int
        /// Where the next page begins, if there is one.
        var nextOffset: Int?
    }

    /// The page that the query asks for. `$select` is left to the caller, who may add members first.
    func page(of all: [JSON], pageSize: Int) -> Page {
        var items = all
        if let filter { items = items.filter(filter.matches) }
        if let order {
            // Swift's sort is stable, so pages never overlap.
            items.sort { left, right in
                let (a, b) = (left[order.property]?.text ?? "", right[order.property]?.text ?? "")
                return order.descending ? a > b : a < b
            }
        }
        let end = min(items.count, offset + (top ?? pageSize))
        return Page(
            items: offset < end ? Array(items[offset..<end]) : [],
            count: items.count,
            nextOffset: end < items.count ? end : nil
        )
    }

    func selected(from item: JSON) -> JSON {
        guard let select, case .object(let members) = item else { return item }
        return .object(members.filter { select.contains($0.key) })
    }
}
