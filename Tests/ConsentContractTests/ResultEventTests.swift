import ConsentContract
import JSON
import TestSupport
import Testing

@Suite("Result event", .timeLimit(.minutes(1)))
struct ResultEventTests {
    private static func schema() throws -> JSONValue {
        try JSONParser.parse(Fixtures.file("schemas/event.result.schema.json").bytes)
    }

    private static func texts(_ value: JSONValue?) -> Set<String> {
        Set((value?["enum"]?.array ?? [value?["const"] ?? .null]).compactMap(\.string))
    }

    @Test("the schema lists exactly the categories there are, each under its outcome")
    func categories() throws {
        let definitions = try #require(try Self.schema()["$defs"])
        let all = Self.texts(definitions["error"]?["properties"]?["category"])
        #expect(all == Set(ErrorCategory.allCases.map(\.rawValue)))
        let rejected = ErrorCategory.allCases.filter { $0.outcome == .rejected }.map(\.rawValue)
        #expect(Self.texts(definitions["rejectedCategory"]) == Set(rejected))
        #expect(ErrorCategory.allCases.filter { $0.outcome == .expired } == [.deadlineExceeded])
    }

    @Test("the schema lists exactly the outcomes, effects, sources and the parties who can fix")
    func enumerations() throws {
        let definitions = try #require(try Self.schema()["$defs"])
        let data = definitions["data"]?["properties"]
        let error = definitions["error"]?["properties"]
        #expect(Self.texts(data?["outcome"]) == Set(Outcome.allCases.map(\.rawValue)))
        #expect(Self.texts(data?["effect"]) == Set(Effect.allCases.map(\.rawValue)))
        #expect(Self.texts(data?["command"]) == Set(CommandKind.allCases.map(\.rawValue)))
        #expect(Self.texts(error?["source"]) == Set(CommandError.Source.allCases.map(\.rawValue)))
        #expect(Self.texts(error?["fixableBy"]) == Set(ErrorCategory.FixableBy.allCases.map(\.rawValue)))
    }

    @Test("every category says what to do, in a sentence", arguments: ErrorCategory.allCases)
    func remedies(category: ErrorCategory) {
        #expect(category.remedy.hasSuffix("."))
        #expect(category.remedy.count > 10)
    }

    /// Those with the least values that the schema allows are not meant to make sense.
    private static func isEvent(_ name: String) -> Bool {
        name.hasPrefix("event.") && name.hasSuffix(".json") && !name.contains("least-values")
    }

    @Test(
        "examples of errors say what the worker says",
        arguments: Fixtures.files(in: "schemas/examples/valid", where: isEvent)
    )
    func exampleRemedies(file: Fixtures.File) throws {
        guard let error = try JSONParser.parse(file.bytes)["data"]?["error"], error != .null else { return }
        let category = try #require(error["category"]?.string.flatMap(ErrorCategory.init))
        #expect(error["remedy"]?.string == category.remedy)
        #expect(error["fixableBy"]?.string == category.fixableBy.rawValue)
    }

    /// The values of a valid example, put into an event of ours.
    private func event(of document: JSONValue) throws -> ResultEvent {
        let data = try #require(document["data"])
        func guid(_ name: String) -> GUID? { data[name]?.string.flatMap { GUID($0) } }
        var about = Rejection.Readable()
        about.kind = data["command"]?.string.flatMap(CommandKind.init)
        about.commandID = guid("commandId")
        about.partnerTenantID = guid("partnerTenantId")
        about.customerID = guid("customerId")
        about.applicationID = guid("applicationId")
        about.requestedBy = data["requestedBy"]?.string
        var timings = ResultEvent.Timings()
        timings.queued = data["timings"]?["queuedMs"]?.int
        timings.limiter = try #require(data["timings"]?["limiterMs"]?.int)
        timings.api = try #require(data["timings"]?["apiMs"]?.int)
        timings.retryWait = try #require(data["timings"]?["retryWaitMs"]?.int)
        timings.total = try #require(data["timings"]?["totalMs"]?.int)
        let api = data["api"].flatMap { api in
            api["status"]?.int.map {
                ResultEvent.APITrace(
                    status: $0,
                    requestID: api["requestId"]?.string,
                    correlationID: api["correlationId"]?.string,
                    serverID: api["serverId"]?.string
                )
            }
        }
        let result = data["result"].flatMap { $0 == .null ? nil : $0 }
        return ResultEvent(
            id: try #require(document["id"]?.string.flatMap { GUID($0) }),
            time: try #require(document["time"]?.string.flatMap { Timestamp($0) }),
            outcome: try #require(data["outcome"]?.string.flatMap(Outcome.init)),
            effect: try #require(data["effect"]?.string.flatMap(Effect.init)),
            about: about,
            correlationID: data["correlationId"]?.string,
            attempts: try #require(data["attempts"]?.int),
            deliveries: try #require(data["deliveries"]?.int),
            timings: timings,
            api: api,
            error: try error(data["error"]),
            result: result,
            traceparent: document["traceparent"]?.string,
            tracestate: document["tracestate"]?.string
        )
    }

    private func error(_ value: JSONValue?) throws -> CommandError? {
        guard let value, value != .null else { return nil }
        return CommandError(
            try #require(value["category"]?.string.flatMap(ErrorCategory.init)),
            try #require(value["message"]?.string),
            source: try #require(value["source"]?.string.flatMap(CommandError.Source.init)),
            status: value["status"]?.int,
            code: value["code"]?.string,
            description: value["description"]?.string,
            faults: (value["faults"]?.array ?? []).map { fault in
                let pointer = (fault["pointer"]?.string ?? "").split(separator: "/")
                    .reduce(JSONPointer.root) { $0 / String($1) }
                return Fault(pointer, fault["reason"]?.string ?? "")
            }
        )
    }

    private static let examples = Fixtures.files(in: "schemas/examples/valid") {
        $0.hasPrefix("event.") && !$0.hasPrefix("event.query-page.")
    }

    @Test("writes every example as the schema has it", arguments: examples)
    func written(file: Fixtures.File) throws {
        let example = try JSONParser.parse(file.bytes)
        let written = try JSONParser.parse(event(of: example).body)
        #expect(normal(written) == normal(example))
    }

    /// The remedy's wording, who fixes it and an empty list of faults are not the examples' to say.
    private func normal(_ event: JSONValue) -> JSONValue {
        func without(_ names: Set<String>, _ value: JSONValue) -> JSONValue {
            guard let object = value.object else { return value }
            let members = object.members.filter { !names.contains($0.name) }.sorted { $0.name < $1.name }
            return .object(
                JSONObject(
                    members: members.map { member in
                        let isError = member.name == "error"
                        let value = isError ? without(["remedy", "faults"], member.value) : without([], member.value)
                        return .init(name: member.name, value: value)
                    }
                )
            )
        }
        return without([], event)
    }

    @Test("there are examples of events")
    func complete() {
        #expect(Self.examples.count >= 40)
    }

    @Test("the example's judgement of a category is ours", arguments: examples)
    func judgement(file: Fixtures.File) throws {
        let example = try JSONParser.parse(file.bytes)
        guard let error = example["data"]?["error"], let name = error["category"]?.string else { return }
        let category = try #require(ErrorCategory(rawValue: name))
        #expect(error["retryable"]?.bool == category.isRetryable)
        #expect(error["fixableBy"]?.string == category.fixableBy.rawValue)
    }

    @Test(
        "routing keys name the command, the outcome and the application, or unknown",
        arguments: [
            ("event.grant.succeeded.granted.json", "grant.succeeded.11111111-1111-4111-8111-111111111111"),
            ("event.query.failed.not-found.json", "query.failed.11111111-1111-4111-8111-111111111111"),
            ("event.unknown.rejected.malformed-message.json", "unknown.rejected.unknown"),
        ]
    )
    func routingKeys(name: String, key: String) throws {
        let file = Fixtures.file("schemas/examples/valid/\(name)")
        #expect(try event(of: try JSONParser.parse(file.bytes)).routingKey == key)
    }

    @Test("a rejection's message names every fault and where it is")
    func rejectionMessage() {
        let faults = [Fault(.root, "is no object"), Fault(.root / "a" / 1, "is missing")]
        let error = CommandError(Rejection(category: .invalidCommand, faults: faults))
        #expect(error.message == "is no object; /a/1 is missing")
        #expect(error.json["faults"]?.array?.map { $0["pointer"]?.string } == ["", "/a/1"])
    }
}
