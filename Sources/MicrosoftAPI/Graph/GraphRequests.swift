package import ConsentContract
import HTTP
import JSON

/// Requests of Graph's `appConsentRequests`
/// (learn.microsoft.com/graph/api/resources/appconsentrequest). Reads only; Graph offers no writes.
package enum GraphRequests {
    private static let path = "/identityGovernance/appConsent/appConsentRequests"

    package static func first(
        _ query: Query,
        tenant: GUID,
        at endpoints: Endpoints,
        as identity: RequestIdentity
    ) -> APIRequest {
        let base = endpoints.graph + path
        let url =
            switch query.operation {
            case .list(let filter, let order, let top): base + options(filter, order, top)
            case .get(let id): "\(base)/\(id)"
            case .filterByCurrentUser:
                // The filter is required by Graph, not optional.
                base + "/filterByCurrentUser(on='reviewer')?$filter=" + encoded(inProgress)
            }
        return request(url, tenant: tenant, as: identity)
    }

    /// The children of one item, which Graph leaves out of lists.
    package static func userConsentRequests(
        of id: String,
        tenant: GUID,
        at endpoints: Endpoints,
        as identity: RequestIdentity
    ) -> APIRequest {
        request("\(endpoints.graph)\(path)/\(encoded(id))/userConsentRequests", tenant: tenant, as: identity)
    }

    /// Whether users of the tenant can ask for consent at all.
    package static func policy(tenant: GUID, at endpoints: Endpoints, as identity: RequestIdentity) -> APIRequest {
        request("\(endpoints.graph)/policies/adminConsentRequestPolicy", tenant: tenant, as: identity)
    }

    /// A next page by the link that the last page gave.
    package static func next(_ link: String, tenant: GUID, as identity: RequestIdentity) -> APIRequest {
        request(link, tenant: tenant, as: identity)
    }

    private static let inProgress = "userConsentRequests/any(u:u/status eq 'InProgress')"

    private static func options(_ filter: Query.Filter, _ order: Query.Order?, _ top: Int?) -> String {
        var conditions: [String] = []
        if let appID = filter.appID { conditions.append("appId eq '\(appID)'") }
        if let name = filter.appDisplayName { conditions.append("appDisplayName eq \(literal(name))") }
        if let type = filter.consentType { conditions.append("consentType eq \(literal(type))") }
        if let status = filter.userConsentStatus {
            conditions.append("userConsentRequests/any(u:u/status eq \(literal(status)))")
        }
        var options: [String] = []
        if !conditions.isEmpty { options.append("$filter=" + encoded(conditions.joined(separator: " and "))) }
        if let order { options.append("$orderby=" + encoded(order.property + (order.descending ? " desc" : " asc"))) }
        if let top { options.append("$top=\(top)") }
        return options.isEmpty ? "" : "?" + options.joined(separator: "&")
    }

    /// An OData string: quotes inside are doubled.
    private static func literal(_ text: String) -> String {
        // By scalars: to a Swift string, a quote with a combining accent is another character; to Graph it ends the text.
        var literal = String.UnicodeScalarView("'".unicodeScalars)
        for scalar in text.unicodeScalars {
            literal.append(scalar)
            if scalar == "'" { literal.append(scalar) }
        }
        literal.append("'")
        return String(literal)
    }

    /// Percent-encodes all but RFC 3986's unreserved characters.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let character = Character(Unicode.Scalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-._~".contains(character) {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    private static func request(_ url: String, tenant: GUID, as identity: RequestIdentity) -> APIRequest {
        let headers = [
            HTTPHeader("Accept", "application/json"),
            HTTPHeader("client-request-id", identity.requestID.description),
        ]
        return APIRequest(
            api: .graph,
            method: .get,
            url: url,
            headers: headers,
            body: nil,
            tenantID: tenant,
            trace: identity.trace
        )
    }
}
