import ConsentContract
import JSON
import TestSupport
import Testing

@Suite("Query page event", .timeLimit(.minutes(1)))
struct QueryPageEventTests {
    private static let examples = Fixtures.files(in: "schemas/examples/valid") { $0.hasPrefix("event.query-page.") }

    @Test("writes every example as the schema has it", arguments: examples)
    func written(file: Fixtures.File) throws {
        let example = try JSONParser.parse(file.bytes)
        let data = try #require(example["data"])
        var body = JSONObject()
        for name in ["command", "commandId", "partnerTenantId", "customerId", "applicationId"] {
            body.append(name, try #require(data[name]))
        }
        if let requestedBy = data["requestedBy"], requestedBy != .null { body.append("requestedBy", requestedBy) }
        body.append("query", ["operation": "list"])
        let event = QueryPageEvent(
            id: try #require(example["id"]?.string.flatMap { GUID($0) }),
            time: try #require(example["time"]?.string.flatMap(Timestamp.init)),
            command: try CommandDecoder.decode(JSONValue.object(body).bytes),
            correlationID: try #require(data["correlationId"]?.string),
            deliveries: try #require(data["deliveries"]?.int),
            page: try #require(data["page"]?.int),
            isFinal: try #require(data["final"]?.bool as Bool?),
            items: try #require(data["items"]?.array),
            traceparent: example["traceparent"]?.string,
            tracestate: example["tracestate"]?.string
        )
        #expect(try Self.sorted(JSONParser.parse(event.body)) == Self.sorted(example))
        #expect(event.routingKey == "query.page.\(data["applicationId"]?.string ?? "")")
    }

    @Test("there are examples of it")
    func found() { #expect(Self.examples.count >= 3) }

    /// The order of members means nothing.
    private static func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            .object(
                JSONObject(
                    members: object.members.sorted { $0.name < $1.name }
                        .map { JSONObject.Member(name: $0.name, value: sorted($0.value)) }
                )
            )
        case .array(let elements): .array(elements.map(sorted))
        default: value
        }
    }
}
