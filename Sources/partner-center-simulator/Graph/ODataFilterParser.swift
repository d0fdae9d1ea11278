/// Reads `a eq 'x' and c/any(u:u/b eq 'y' and u/d eq 'z')`.
struct ODataFilterParser {
    private var rest: Substring

    init(_ text: String) {
        rest = Substring(text)
    }

    mutating func parse() throws(GraphError) -> [ODataFilter.Clause] {
        var clauses = [try clause()]
        while takeWord("and") { clauses.append(try clause()) }
        skipSpaces()
        guard rest.isEmpty else { throw invalid("unexpected text at '\(rest.prefix(20))'") }
        return clauses
    }

    private mutating func clause() throws(GraphError) -> ODataFilter.Clause {
        let name = try identifier()
        guard take("/") else { return .equal(try comparison(of: name)) }
        guard takeWord("any") else { throw invalid("only any() is supported on '\(name)'") }
        try expect("(")
        let variable = try identifier()
        try expect(":")
        var comparisons: [ODataFilter.Comparison] = []
        repeat {
            guard try identifier() == variable else { throw invalid("the lambda variable is '\(variable)'") }
            try expect("/")
            comparisons.append(try comparison(of: try identifier()))
        } while takeWord("and")
        try expect(")")
        return .any(collection: name, comparisons)
    }

    private mutating func comparison(of property: String) throws(GraphError) -> ODataFilter.Comparison {
        guard takeWord("eq") else { throw invalid("only eq is supported on '\(property)'") }
        return ODataFilter.Comparison(property: property, value: try quotedText())
    }

    /// A quote inside is written twice.
    private mutating func quotedText() throws(GraphError) -> String {
        try expect("'")
        var value = ""
        while let character = rest.popFirst() {
            guard character == "'" else {
                value.append(character)
                continue
            }
            guard rest.first == "'" else { return value }
            rest.removeFirst()
            value.append("'")
        }
        throw invalid("an unterminated string literal")
    }

    private mutating func identifier() throws(GraphError) -> String {
        skipSpaces()
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        guard !name.isEmpty else { throw invalid("a name is missing at '\(rest.prefix(20))'") }
        rest = rest.dropFirst(name.count)
        return String(name)
    }

    private mutating func takeWord(_ word: String) -> Bool {
        skipSpaces()
        let found = rest.prefix { $0.isLetter }
        guard found == word else { return false }
        rest = rest.dropFirst(found.count)
        return true
    }

    private mutating func take(_ character: Character) -> Bool {
        skipSpaces()
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func expect(_ character: Character) throws(GraphError) {
        guard take(character) else { throw invalid("'\(character)' is missing at '\(rest.prefix(20))'") }
    }

    private mutating func skipSpaces() {
        rest = rest.drop { $0 == " " }
    }

    private func invalid(_ what: String) -> GraphError {
        .badRequest("Invalid filter clause: \(what).")
    }
}
