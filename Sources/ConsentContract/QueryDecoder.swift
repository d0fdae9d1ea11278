import JSON

/// Reads the `query` member of a query command.
enum QueryDecoder {
    private static let operations = ["list", "get", "filterByCurrentUser"]
    private static let sortable: Set<String> = ["appDisplayName", "appId", "consentType"]

    static func decode(_ reader: inout ObjectReader) -> Query? {
        guard let value = reader.value("query") else { return nil }
        return reader.nested(value, at: "query") { reader in
            let includes = includes(&reader)
            guard let name = reader.string("operation") else { return nil }
            guard operations.contains(name) else {
                reader.fault("operation", "must be one of \(operations.joined(separator: ", "))")
                return nil
            }
            if name != "get" { reader.refuse("id", "belongs to the operation get") }
            if name != "list" {
                for member in ["filter", "orderBy", "top"] {
                    reader.refuse(member, "belongs to the operation list")
                }
            }
            guard let operation = operation(name, &reader) else { return nil }
            return Query(operation: operation, includes: includes)
        }
    }

    private static func operation(_ name: String, _ reader: inout ObjectReader) -> Query.Operation? {
        switch name {
        case "list":
            let filter = filter(&reader)
            let order = order(&reader)
            return .list(filter, order: order, top: reader.integer("top", 1...1000))
        case "get":
            let reason = "must be 1 to 256 of A-Z a-z 0-9 . _ ~ -"
            return reader.text("id", pattern: isPathSegment, reason, required: true).map { .get(id: $0) }
        default:
            return .filterByCurrentUser
        }
    }

    private static func filter(_ reader: inout ObjectReader) -> Query.Filter {
        guard let value = reader.value("filter", required: false) else { return Query.Filter() }
        let filter = reader.nested(value, at: "filter") { reader in
            var filter = Query.Filter()
            filter.appID = reader.guid("appId", required: false)
            filter.appDisplayName = reader.text("appDisplayName", characters: 1...256)
            filter.consentType = reader.text(
                "consentType",
                pattern: { ["Static", "Dynamic"].contains($0) },
                "must be Static or Dynamic"
            )
            filter.userConsentStatus = reader.text(
                "userConsentStatus",
                pattern: { $0 == "InProgress" },
                "must be InProgress"
            )
            if filter == Query.Filter() && reader.faults.isEmpty {
                reader.fault("must name at least one of appId, appDisplayName, consentType, userConsentStatus")
            }
            return filter
        }
        return filter ?? Query.Filter()
    }

    private static func order(_ reader: inout ObjectReader) -> Query.Order? {
        guard let text = reader.string("orderBy", required: false) else { return nil }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard let property = words.first, sortable.contains(String(property)), words.count <= 2,
            words.count == 1 || words[1] == "asc" || words[1] == "desc"
        else {
            reader.fault("orderBy", "must be appDisplayName, appId or consentType, then optionally asc or desc")
            return nil
        }
        return Query.Order(property: String(property), descending: words.last == "desc")
    }

    private static func includes(_ reader: inout ObjectReader) -> Set<Query.Inclusion> {
        guard reader.value("include", required: false) != nil,
            let elements = reader.array("include", count: 0...Int.max)
        else { return [] }
        // Of a single item it is known whether it is there.
        let allowed = Query.Inclusion.allCases.filter { $0 != .policy || reader.peek("operation")?.string != "get" }
        var includes: Set<Query.Inclusion> = []
        for (index, element) in elements.enumerated() {
            guard let inclusion = element.string.flatMap(Query.Inclusion.init), allowed.contains(inclusion) else {
                reader.fault("include", index, "must be \(allowed.map(\.rawValue).joined(separator: " or "))")
                continue
            }
            if !includes.insert(inclusion).inserted { reader.fault("include", index, "repeats an earlier item") }
        }
        return includes
    }

    /// Unreserved characters of RFC 3986 only: the ID becomes part of a URL. `.` and `..` would change the path.
    private static func isPathSegment(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
