import Testing

@testable import partner_center_simulator

@Suite struct ODataQueryTests {
    private let items = ["c", "a", "d", "b", "e"].map { ["id": .string($0), "kind": "x"] as JSON }
    private let support = ODataQuery.Support(filter: ["kind"], order: ["id"], select: ["id", "kind"])

    private func page(_ query: String, pageSize: Int = 100) throws -> ODataQuery.Page {
        try ODataQuery(FormFields(query), support: support).page(of: items, pageSize: pageSize)
    }

    private func ids(_ page: ODataQuery.Page) -> [String?] { page.items.map { $0["id"]?.text } }

    @Test func `pages follow one another without gap or overlap`() throws {
        var query = "$orderby=id&$top=2"
        var seen: [String?] = []
        for _ in 0..<3 {
            let page = try page(query)
            seen += ids(page)
            #expect(page.count == 5)
            guard let next = page.nextOffset else { break }
            query = "$orderby=id&$top=2&$skiptoken=\(ODataQuery.token(forOffset: next))"
        }
        #expect(seen == ["a", "b", "c", "d", "e"])
        #expect(try page(query).nextOffset == nil)
    }

    @Test func `the order can be turned round`() throws {
        #expect(ids(try page("$orderby=id%20desc")) == ["e", "d", "c", "b", "a"])
        #expect(ids(try page("$orderby=id+asc&$skip=3")) == ["d", "e"])
    }

    @Test func `without $top the page size decides`() throws {
        #expect(ids(try page("", pageSize: 2)) == ["c", "a"])
        #expect(try page("", pageSize: 5).nextOffset == nil)
    }

    @Test func `a skip beyond the end gives an empty page`() throws {
        #expect(try page("$skip=9") == .init(items: [], count: 5, nextOffset: nil))
    }

    @Test func `select keeps only what is named`() throws {
        let query = try ODataQuery(FormFields("$select=id"), support: support)
        #expect(query.selected(from: items[0]) == ["id": "c"])
    }

    @Test(arguments: [
        "$top=0", "$top=1000", "$top=x", "$skip=-1", "$skiptoken=x", "$orderby=kind", "$orderby=id+up",
        "$select=other", "$filter=other+eq+'x'", "$expand=userConsentRequests", "$search=x",
    ])
    func `an option that is wrong or unknown is refused`(query: String) {
        #expect(throws: GraphError.self) { try page(query) }
    }
}
