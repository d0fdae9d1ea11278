/// Makes up the appConsentRequests of a tenant: the same tenant ID always has the same ones.
enum ConsentRequestGenerator {
    private static let applications = [
        "Contoso Mail Archiver", "Fabrikam Scheduler", "Northwind Sync", "Tailspin Reports", "Woodgrove Backup",
        "Adatum Signatures", "Litware Notes", "Proseware Forms", "Wingtip Surveys", "Relecloud Insights",
    ]
    private static let scopes = ["Calendars.Read", "Files.Read.All", "Mail.Read", "People.Read", "User.Read.All"]
    private static let reasons = [
        "I need this for my work.", "Our project depends on it.", "Requested by my manager.", "",
    ]

    static func items(tenant: String, count: Int) -> [JSON] {
        (0..<count).map { item(tenant: tenant, index: $0) }
    }

    private static func item(tenant: String, index: Int) -> JSON {
        var generator = SeededGenerator(seed: hash("\(tenant)/\(index)"))
        let isStatic = Bool.random(using: &generator)
        let name = applications[Int.random(in: 0..<applications.count, using: &generator)]
        let pending = isStatic ? [] : Array(scopes.shuffled(using: &generator).prefix(2))
        // The first is open in every item, as the list is one of open requests; there may be older ones.
        let users = (0...Int.random(in: 0...1, using: &generator)).map { position in
            user(status: position == 0 ? "InProgress" : "Completed", number: index + position, using: &generator)
        }
        return [
            "id": .string(guid(using: &generator)),
            "appId": .string(guid(using: &generator)),
            "appDisplayName": .string(name),
            "consentType": isStatic ? "Static" : "Dynamic",
            "pendingScopes": .array(pending.map { ["displayName": .string($0)] }),
            "userConsentRequests": .array(users),
        ]
    }

    private static func user(status: String, number: Int, using generator: inout SeededGenerator) -> JSON {
        let id = guid(using: &generator)
        let created = UTCTime(
            seconds: 1_790_000_000 - Int.random(in: 0..<2_000_000, using: &generator),
            nanoseconds: Int.random(in: 0..<1_000_000_000, using: &generator)
        )
        let name = "user\(number)@customer.example"
        return [
            "id": .string(id),
            "approvalId": .string(id),
            "status": .string(status),
            "createdDateTime": .string(created.withSevenDigits),
            "completedDateTime": nil,
            "customData": nil,
            "reason": .string(reasons[Int.random(in: 0..<reasons.count, using: &generator)]),
            "createdBy": [
                "application": nil,
                "device": nil,
                "user": [
                    "id": .string(guid(using: &generator)),
                    "displayName": .string("User \(number)"),
                    "userPrincipalName": .string(name),
                    "mail": .string(name),
                ],
            ],
        ]
    }

    private static func guid(using generator: inout SeededGenerator) -> String {
        let digits = hexadecimal(generator.next()) + hexadecimal(generator.next())
        let lengths = [8, 4, 4, 4, 12]
        var rest = Substring(digits)
        return lengths.map { length in
            defer { rest = rest.dropFirst(length) }
            return String(rest.prefix(length))
        }.joined(separator: "-")
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// FNV-1a. Swift's own hash differs from run to run.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
