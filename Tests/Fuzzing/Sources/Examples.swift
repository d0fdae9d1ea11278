import JSON
import TestSupport

/// What inputs look like, from where it is written down already.
enum Examples {
    /// Of messages of the contract, good and bad.
    static func messages(_ kinds: [String]) -> [[UInt8]] {
        ["valid", "invalid"].flatMap { folder in
            Fixtures.files(in: "schemas/examples/\(folder)") { name in
                name.hasSuffix(".json") && kinds.contains { name.hasPrefix("\($0).") }
            }
        }.map(\.bytes)
    }

    static func texts(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    /// An answer as ``HTTPText`` reads it.
    static func answer(_ status: Int, _ body: String, retryAfter: String? = nil) -> [UInt8] {
        Array("\(status)\n\(retryAfter.map { "Retry-After: \($0)\n" } ?? "")\n\(body)".utf8)
    }

    static let commandNames = [
        "contract", "command", "commandId", "partnerTenantId", "customerId", "applicationId", "applicationGrants",
        "enterpriseApplicationId", "scope", "displayName", "query", "operation", "id", "filter", "appId",
        "appDisplayName", "consentType", "userConsentStatus", "orderBy", "top", "include", "customerTenantId",
        "issuedAt", "deadline", "dryRun", "requestedBy",
    ]
    static let commandValues = [
        "grant", "revoke", "query", "1", "list", "get", "filterByCurrentUser", "User.Read", "User.Read,Mail.Read",
        "openid", ",", "Static", "Dynamic", "InProgress", "appDisplayName asc", "appId desc", "consentType",
        "userConsentRequests", "policy", "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222",
    ]
}
