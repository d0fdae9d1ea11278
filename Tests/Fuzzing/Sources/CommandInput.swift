import ConsentContract
import JSON
import MicrosoftAPI

extension FuzzInput {
    /// The body of a command.
    static let command = FuzzInput(
        "command",
        JSONMutation(names: Examples.commandNames, values: Examples.commandValues),
        examples: { Examples.messages(["command", "grant", "revoke", "query"]) },
        check: check(command:)
    )

    private static func check(command body: [UInt8]) throws {
        let command: Command
        do throws(Rejection) {
            command = try CommandDecoder.decode(body)
        } catch {
            return try check(error, of: body)
        }
        let again = try CommandDecoder.decode(command.json.bytes)
        try require(again == command, "a command is read as it was written: \(command.json.text)")
        try require(command.customerID != command.partnerTenantID, "the partner's own tenant is refused")
        for request in requests(of: command) {
            try require(
                request.url.utf8.allSatisfy { (0x21...0x7E).contains($0) },
                "an address is printable: \(request.url)"
            )
            try require(!request.url.contains("/../") && !request.url.contains("/./"), "an address keeps its path")
        }
    }

    private static func check(_ rejection: Rejection, of body: [UInt8]) throws {
        try require(rejection.category.outcome == .rejected, "the category \(rejection.category) is one of rejections")
        try require(
            (1...CommandDecoder.maximumFaults).contains(rejection.faults.count),
            "faults are named, not too many"
        )
        for fault in rejection.faults {
            try require(!fault.reason.isEmpty, "a fault has a reason")
            try require(isPointer(fault.pointer.description), "\(fault.pointer) is a JSON pointer")
        }
        let event = ResultEvent(
            id: Identifiers.event(body: body, correlationID: nil),
            time: Timestamp(milliseconds: 0),
            outcome: .rejected,
            effect: .none,
            about: rejection.readable,
            correlationID: nil,
            attempts: 0,
            deliveries: 1,
            timings: .init(),
            api: nil,
            error: CommandError(rejection),
            result: nil,
            traceparent: nil,
            tracestate: nil
        ).body
        // Pointers of 1 KB, twice, of characters that JSON writes with six.
        try require(event.count <= 2 << 20, "an event is of bounded size, not of \(event.count) bytes")
        try require((try? JSONParser.parse(event)) != nil, "an event is JSON")
    }

    /// RFC 6901.
    private static func isPointer(_ text: String) -> Bool {
        var scalars = text.unicodeScalars[...]
        guard scalars.isEmpty || scalars.first == "/" else { return false }
        while let scalar = scalars.popFirst() {
            if scalar == "~", let next = scalars.popFirst(), next != "0", next != "1" { return false }
        }
        return true
    }

    private static func requests(of command: Command) -> [APIRequest] {
        let identity = RequestIdentity(requestID: command.commandID, correlationID: command.commandID, trace: nil)
        let endpoints = Endpoints()
        switch command.action {
        case .grant(let grants):
            return [PartnerCenterRequests.grant(grants, command: command, at: endpoints, as: identity)]
        case .revoke: return [PartnerCenterRequests.revoke(command: command, at: endpoints, as: identity)]
        case .query(let query):
            return [GraphRequests.first(query, tenant: command.tenantID, at: endpoints, as: identity)]
        }
    }
}

extension Command {
    /// The body that says the same.
    fileprivate var json: JSONValue {
        var body = JSONObject()
        func add(_ name: String, _ text: String?) {
            if let text { body.append(name, .string(text)) }
        }
        add("command", kind.rawValue)
        add("commandId", commandID.description)
        add("partnerTenantId", partnerTenantID.description)
        add("customerId", customerID.description)
        add("applicationId", applicationID.description)
        add("customerTenantId", customerTenantID?.description)
        add("displayName", displayName)
        add("issuedAt", issuedAt?.description)
        add("deadline", deadline?.description)
        add("requestedBy", requestedBy)
        body.append("dryRun", .bool(dryRun))
        switch action {
        case .grant(let grants):
            let items = grants.map { grant -> JSONValue in
                [
                    "enterpriseApplicationId": .string(grant.enterpriseApplicationID.description),
                    "scope": .string(grant.scopes.joined(separator: ",")),
                ]
            }
            body.append("applicationGrants", .array(items))
        case .revoke: break
        case .query(let query): body.append("query", query.json)
        }
        return .object(body)
    }
}

extension Query {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        switch operation {
        case .get(let id):
            object.append("operation", "get")
            object.append("id", .string(id))
        case .filterByCurrentUser: object.append("operation", "filterByCurrentUser")
        case .list(let filter, let order, let top):
            object.append("operation", "list")
            let members = [
                ("appId", filter.appID?.description), ("appDisplayName", filter.appDisplayName),
                ("consentType", filter.consentType), ("userConsentStatus", filter.userConsentStatus),
            ].compactMap { name, text in text.map { JSONObject.Member(name: name, value: .string($0)) } }
            if !members.isEmpty { object.append("filter", .object(JSONObject(members: members))) }
            if let order { object.append("orderBy", .string("\(order.property) \(order.descending ? "desc" : "asc")")) }
            if let top { object.append("top", JSONValue(top)) }
        }
        if !includes.isEmpty { object.append("include", .array(includes.map { .string($0.rawValue) })) }
        return .object(object)
    }
}
