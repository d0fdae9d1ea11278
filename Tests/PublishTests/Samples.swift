import AMQP
import ConsentContract
import Glibc
import JSON

@testable import consent_worker

/// Values that several suites need.
enum Samples {
    static let partner = "22222222-2222-4222-8222-222222222222"
    static let application = GUID(constant: "11111111-1111-4111-8111-111111111111")
    static let otherApplication = GUID(constant: "11111111-1111-4111-8111-222222222222")
    static let graph = "00000003-0000-0000-c000-000000000000"

    static func customer(_ number: Int) -> String {
        let digits = String(number)
        return "33333333-3333-4333-8333-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    /// What `publish grant` says with partner, application and one grant.
    static func template(
        _ kind: CommandKind = .grant,
        _ further: [(String, JSONValue)] = [],
        without absent: Set<String> = []
    ) -> CommandTemplate {
        var members: [(String, JSONValue)] = [
            ("contract", "1"), ("command", .string(kind.rawValue)), ("partnerTenantId", .string(partner)),
            ("applicationId", .string("\(application)")),
        ]
        if kind == .grant { members.append(("applicationGrants", [grant("User.Read")])) }
        return CommandTemplate(
            kind: kind,
            members: (members + further).filter { !absent.contains($0.0) },
            correlationID: nil
        )
    }

    static func grant(_ scope: String, _ resource: String = graph) -> JSONValue {
        ["enterpriseApplicationId": .string(resource), "scope": .string(scope)]
    }

    static func plan(_ text: String, _ format: BulkFormat = .csv, _ template: CommandTemplate = template()) -> BulkPlan
    {
        BulkPlan(BulkInput(Array(text.utf8), format), template)
    }

    static func body(_ plan: BulkPlan, _ index: Int) throws -> JSONValue {
        try JSONParser.parse(plan.message(index, in: application, at: Timestamp(milliseconds: 0)).body)
    }

    /// Runs `body` with the path of a file that is not there yet, and removes it afterwards, with those besides it.
    static func withFile(_ body: (String) throws -> Void) throws {
        let path = "/tmp/publish-test-\(GUID.random()).jsonl"
        defer { for suffix in ["", ".new", ".journal", ".pages"] { unlink(path + suffix) } }
        try body(path)
    }

    static func write(_ text: String, _ path: String) throws {
        try LineFile(path, truncating: true).append(Array(text.utf8))
    }

    static func lines(_ path: String) throws -> [String] {
        String(decoding: try BulkInput.bytes(of: path), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    static func event(
        _ outcome: String?,
        effect: String = "granted",
        category: String? = nil,
        items: [JSONValue]? = nil
    ) -> ReceivedEvent {
        var data: [(String, JSONValue)] = [("contract", "1"), ("commandId", .string("\(application)"))]
        if let outcome { data.append(("outcome", .string(outcome))) }
        data.append(("effect", .string(effect)))
        data.append(
            (
                "error",
                category.map { ["category": .string($0), "remedy": "Do.", "fixableBy": "partner", "retryable": false] }
                    ?? .null
            )
        )
        if let items { data.append(("items", .array(items))) }
        let members = data.map { JSONObject.Member(name: $0.0, value: $0.1) }
        return ReceivedEvent(json: ["time": "now", "data": .object(JSONObject(members: members))])
    }
}
