/// Graph's answers to one request: which members the version has, pages, and links.
struct GraphView {
    let call: APICall
    let isBeta: Bool
    let settings: GraphSettings

    private static let collection = "identityGovernance/appConsent/appConsentRequests"
    private static let userProperties: Set<String> = ["id", "approvalId", "status", "reason", "createdDateTime"]

    /// consentType is a member of beta only.
    private var requestSupport: ODataQuery.Support {
        let searchable = Set(["appId", "appDisplayName"]).union(isBeta ? ["consentType"] : [])
        return ODataQuery.Support(
            filter: searchable.union(["id"]),
            collections: ["userConsentRequests": Self.userProperties],
            order: searchable,
            select: searchable.union(["id", "pendingScopes", "userConsentRequests"])
        )
    }

    func list(_ items: [JSON]) throws(GraphError) -> JSON {
        try page(of: items, query: ODataQuery(call.query, support: requestSupport), context: Self.collection) { item in
            asMember(item)
        }
    }

    func filteredByCurrentUser(_ items: [JSON], option: String) throws(GraphError) -> JSON {
        guard option == "on='reviewer'" else {
            throw .badRequest("The function filterByCurrentUser needs the parameter on='reviewer'.")
        }
        guard call.query["$filter"] != nil else {
            throw .badRequest("The $filter query option is required for filterByCurrentUser.")
        }
        return try list(items)
    }

    func single(_ item: JSON) throws(GraphError) -> JSON {
        let query = try ODataQuery(call.query, support: requestSupport)
        guard case .object(var members) = query.selected(from: asMember(item)) else { return item }
        members["@odata.context"] = .string("\(origin)/$metadata#\(Self.collection)/$entity")
        return .object(members)
    }

    func userConsentRequests(of item: JSON) throws(GraphError) -> JSON {
        let id = item["id"]?.text ?? ""
        let support = ODataQuery.Support(
            filter: ["status"],
            order: ["createdDateTime"],
            select: Self.userProperties.union(["completedDateTime", "customData", "createdBy"])
        )
        let query = try ODataQuery(call.query, support: support)
        let context = "\(Self.collection)('\(id)')/userConsentRequests"
        return page(of: item["userConsentRequests"]?.items ?? [], query: query, context: context) { $0 }
    }

    var policy: JSON {
        [
            "@odata.context": .string("\(origin)/$metadata#policies/adminConsentRequestPolicy/$entity"),
            "isEnabled": true,
            "notifyReviewers": true,
            "remindersEnabled": true,
            "requestDurationInDays": 30,
            "version": 0,
            "reviewers": [
                [
                    "query": "/v1.0/roleManagement/directory/roleAssignments",
                    "queryType": "MicrosoftGraph",
                    "queryRoot": nil,
                ]
            ],
        ]
    }

    /// As the real API shows an item in v1.0 or beta: users are a list of their own.
    private func asMember(_ item: JSON) -> JSON {
        guard case .object(var members) = item else { return item }
        if members["userConsentRequests"] != nil { members["userConsentRequests"] = [] }
        if !isBeta { members["consentType"] = nil }
        return .object(members)
    }

    private func page(of items: [JSON], query: ODataQuery, context: String, as shown: (JSON) -> JSON) -> JSON {
        let page = query.page(of: items, pageSize: settings.pageSize)
        var answer: [String: JSON] = [
            "@odata.context": .string("\(origin)/$metadata#\(context)"),
            "@odata.count": .integer(page.count),
            "value": .array(page.items.map { query.selected(from: shown($0)) }),
        ]
        if let next = page.nextOffset {
            answer["@odata.nextLink"] = .string(nextLink(offset: next, thisPage: query.offset))
        }
        return .object(answer)
    }

    /// Absolute, on the host that was asked, with the same options as this request.
    private func nextLink(offset: Int, thisPage: Int) -> String {
        let position = settings.nextLink == .loop ? thisPage : offset
        var pairs = call.query.pairs.filter { $0.name != "$skip" && $0.name != "$skiptoken" }
        pairs.append(.init(name: "$skiptoken", value: ODataQuery.token(forOffset: position)))
        let query = pairs.map { "\(FormFields.encodedName($0.name))=\(FormFields.encoded($0.value))" }
        let host = settings.nextLink == .foreignHost ? "https://graph.example" : call.origin
        return "\(host)\(call.path)?\(query.joined(separator: "&"))"
    }

    private var origin: String {
        "\(call.origin)/\(call.segments.first ?? "v1.0")"
    }
}
