import ArgumentParser
import ConsentContract
import JSON

struct PublishGrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "grant", abstract: "Grant consent in a customer.")

    @OptionGroup var publish: PublishOptions

    @Option(
        name: .customLong("grant"),
        help: ArgumentHelp(
            "A resource's application ID and the scopes wanted there; may be repeated.",
            valueName: "resource=scope,scope"
        )
    )
    var grants: [String] = []

    @Option(help: "The application's display name, passed on to Microsoft.")
    var displayName: String?

    func validate() throws {
        if grants.isEmpty && publish.bulk.from == nil {
            throw ValidationError("Name what to grant with --grant resource=scope,scope.")
        }
    }

    func run() async throws {
        let items = try grants.map { text -> JSONValue in
            guard let grant = GrantText.parse(text) else {
                throw ValidationError("--grant expects resource=scope,scope, not \(text)")
            }
            return grant
        }
        var members: [(String, JSONValue)] = []
        if !items.isEmpty { members.append(("applicationGrants", .array(items))) }
        if let displayName { members.append(("displayName", .string(displayName))) }
        try await publish.publish(.grant, members)
    }
}

struct PublishRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Revoke consent in a customer.")

    @OptionGroup var publish: PublishOptions

    func run() async throws {
        try await publish.publish(.revoke, [])
    }
}

struct PublishQueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Read a customer's pending consent requests."
    )

    @OptionGroup var publish: PublishOptions

    @Option(help: "list, get or filterByCurrentUser.")
    var operation = "list"

    @Option(name: .customLong("id"), help: "The request to get.")
    var requestID: String?

    @Option(help: "How many items Graph puts on a page.")
    var top: Int?

    @Flag(help: "With each request's user consent requests.")
    var includeUserConsentRequests = false

    func run() async throws {
        var query = JSONObject()
        query.append("operation", .string(operation))
        if let requestID { query.append("id", .string(requestID)) }
        if let top { query.append("top", JSONValue(top)) }
        if includeUserConsentRequests { query.append("include", ["userConsentRequests"]) }
        try await publish.publish(.query, [("query", .object(query))])
    }
}
