import ConsentContract
import JSON
import TestSupport

/// What the backends want meanwhile, by the seed: grants, revokes and queries of several applications.
struct ChaosWorkload: Sendable {
    struct Command: Sendable {
        let id: GUID
        let kind: String
        let application: GUID
        let customer: String
    }

    struct Application: Sendable {
        let id: GUID
        let ordering: SaturatedFleet.Ordering
        /// How many of the commands are its.
        let weight: Int
    }

    /// So few that each has several commands under way at once.
    private static let customers = 25

    let applications: [Application]
    private let partner: GUID
    private var generator: SeededGenerator
    private var number = 0

    init(_ applications: [Application], partner: GUID, seed: UInt64) {
        self.applications = applications
        self.partner = partner
        generator = SeededGenerator(seed: ~seed)
    }

    mutating func next() -> Command {
        number += 1
        let lots = applications.indices.flatMap { Array(repeating: $0, count: applications[$0].weight) }
        let index = lots.randomElement(using: &generator) ?? 0
        let kind = ["grant", "grant", "grant", "grant", "revoke", "revoke", "revoke", "query"]
            .randomElement(using: &generator)
        let application = applications[index]
        let customer =
            switch application.ordering {
            case .customer: Int.random(in: 0..<Self.customers, using: &generator)
            // Whose commands may overtake each other publishes no two of one customer.
            case .none: number
            }
        return Command(
            id: .random(),
            kind: kind ?? "grant",
            application: application.id,
            customer: Platform.customer(1_000_000 * (index + 1) + customer)
        )
    }

    func body(of command: Command) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("command", .string(command.kind)), ("commandId", .string("\(command.id)")),
            ("partnerTenantId", .string("\(partner)")), ("customerId", .string(command.customer)),
            ("applicationId", .string("\(command.application)")),
        ]
        switch command.kind {
        case "grant":
            let resource: JSONValue = "00000003-0000-0000-c000-000000000000"
            members.append(("applicationGrants", [["enterpriseApplicationId": resource, "scope": "User.Read"]]))
        case "query": members.append(("query", ["operation": "list"]))
        default: break
        }
        return .object(JSONObject(members: members.map { JSONObject.Member(name: $0.0, value: $0.1) }))
    }
}
