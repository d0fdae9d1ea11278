/// The part of OData's $filter that appConsentRequests know: `eq` on text, `any()` on userConsentRequests, and `and`.
struct ODataFilter: Equatable, Sendable {
    struct Comparison: Equatable, Sendable {
        var property: String
        var value: String
    }

    enum Clause: Equatable, Sendable {
        case equal(Comparison)
        /// Some element of the collection agrees with every comparison.
        case any(collection: String, [Comparison])
    }

    var clauses: [Clause]

    /// What is compared must be among `properties`; `collections` says the same for the elements of each collection.
    init(_ text: String, properties: Set<String>, collections: [String: Set<String>] = [:]) throws(GraphError) {
        var parser = ODataFilterParser(text)
        clauses = try parser.parse()
        for clause in clauses {
            switch clause {
            case .equal(let comparison):
                try Self.check(comparison, against: properties)
            case .any(let collection, let comparisons):
                guard let known = collections[collection] else { throw Self.unknown(collection) }
                for comparison in comparisons { try Self.check(comparison, against: known) }
            }
        }
    }

    func matches(_ item: JSON) -> Bool {
        clauses.allSatisfy { clause in
            switch clause {
            case .equal(let comparison):
                comparison.matches(item)
            case .any(let collection, let comparisons):
                item[collection]?.items?.contains { element in
                    comparisons.allSatisfy { $0.matches(element) }
                } ?? false
            }
        }
    }

    private static func check(_ comparison: Comparison, against known: Set<String>) throws(GraphError) {
        guard known.contains(comparison.property) else { throw unknown(comparison.property) }
    }

    private static func unknown(_ property: String) -> GraphError {
        .badRequest("Could not find a property named '\(property)', or it does not support $filter.")
    }
}

extension ODataFilter.Comparison {
    fileprivate func matches(_ item: JSON) -> Bool {
        item[property]?.text == value
    }
}
