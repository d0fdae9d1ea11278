import HTTPTypes

/// Refusals that are documented or were seen in the wild, by name.
enum Refusal: String, Codable, CaseIterable, Sendable {
    /// Partner Center: the user's token has no MFA claim.
    case mfaRequired
    /// Partner Center: 400 with the error of the directory below inside the description.
    case insufficientPrivileges
    /// Partner Center: the user may not act for this customer.
    case forbidden
    /// Partner Center: there is no relationship with the customer.
    case noRelationship
    /// Partner Center: a consent exists, said with 400 instead of 409.
    case alreadyExistsText
    /// Partner Center: the resource API is not provisioned in the customer's tenant.
    case missingServicePrincipal
    /// Partner Center: the customer is unknown.
    case customerNotFound
    /// Graph: the user lacks a permission or a role.
    case graphForbidden

    var answer: Answer {
        switch self {
        case .mfaRequired:
            var answer = PartnerCenterError(
                code: 900421,
                description: "MFA required. The user's token has no multi-factor authentication claim."
            ).answer(401)
            answer.headers[.wwwAuthenticate] = #"Bearer error="invalid_token""#
            return answer
        case .insufficientPrivileges:
            return PartnerCenterError(
                code: 2000,
                description: #"{"odata.error":{"code":"Authorization_RequestDenied","message":{"lang":"en","#
                    + #""value":"Insufficient privileges to complete the operation."}}}"#
            ).answer(400)
        case .forbidden:
            return PartnerCenterError(code: 2032, description: "Access denied for the requested resource.").answer(403)
        case .noRelationship:
            return PartnerCenterError(code: 20002, description: "The partner has no relationship with the customer.")
                .answer(403)
        case .alreadyExistsText:
            return PartnerCenterError(code: 2000, description: "Permission entry already exists.").answer(400)
        case .missingServicePrincipal:
            return PartnerCenterError(
                code: 2000,
                description: "The customer's tenant lacks a service principal for the enterprise application."
            ).answer(400)
        case .customerNotFound:
            return PartnerCenterError(code: 1000, description: "The customer was not found.").answer(404)
        case .graphForbidden:
            return GraphError(
                status: 403,
                code: "Authorization_RequestDenied",
                message: "Insufficient privileges to complete the operation."
            ).answer(clientRequestID: nil)
        }
    }
}
