package import ConsentContract
import HTTP
import JSON

/// Requests of Partner Center's `applicationconsents`
/// (learn.microsoft.com/partner-center/developer/control-panel-vendor-apis).
package enum PartnerCenterRequests {
    /// One request with all grants of a command.
    package static func grant(
        _ grants: [ApplicationGrant],
        command: Command,
        at endpoints: Endpoints,
        as identity: RequestIdentity
    ) -> APIRequest {
        var body = JSONObject()
        body.append("applicationId", .string(command.applicationID.description))
        body.append(
            "applicationGrants",
            .array(
                grants.map { grant in
                    [
                        "enterpriseApplicationId": .string(grant.enterpriseApplicationID.description),
                        "scope": .string(grant.scopes.joined(separator: ",")),
                    ]
                }
            )
        )
        if let displayName = command.displayName { body.append("displayName", .string(displayName)) }
        return request(.post, "", .object(body), command, endpoints, identity)
    }

    /// Takes back all that was granted to the application.
    package static func revoke(
        command: Command,
        at endpoints: Endpoints,
        as identity: RequestIdentity
    ) -> APIRequest {
        request(.delete, "/\(command.applicationID)", nil, command, endpoints, identity)
    }

    private static func request(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: JSONValue?,
        _ command: Command,
        _ endpoints: Endpoints,
        _ identity: RequestIdentity
    ) -> APIRequest {
        var headers = [
            HTTPHeader("Accept", "application/json"),
            HTTPHeader("ms-requestid", identity.requestID.description),
            HTTPHeader("ms-correlationid", identity.correlationID.description),
        ]
        if body != nil { headers.append(HTTPHeader("Content-Type", "application/json")) }
        return APIRequest(
            api: .partnerCenter,
            method: method,
            url: "\(endpoints.partnerCenter)/v1/customers/\(command.customerID)/applicationconsents\(path)",
            headers: headers,
            body: body,
            tenantID: command.partnerTenantID,
            trace: identity.trace
        )
    }
}
