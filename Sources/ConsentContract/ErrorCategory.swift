/// Every way a command can end badly. The raw values are part of the contract and never change their meaning.
package enum ErrorCategory: String, Sendable, Hashable, CaseIterable {
    // rejected
    case malformedMessage, invalidCommand, bodyTooLarge, routingKeyMismatch, applicationNotConfigured
    case ownTenantRefused
    // expired
    case deadlineExceeded
    // failed
    case partnerNotConfigured, partnerReauthorizationRequired, customerNotConsented, customerConditionalAccess
    case customerAccessLost, customerTenantNotFound, serviceNotSubscribed, customerNotFound, notFound
    case insufficientPrivileges, resourceNotProvisioned, invalidRequest, conflict, unauthorized, throttled
    case apiUnavailable, requestTimedOut, connectionFailed, identityUnavailable, tlsVerificationFailed
    case malformedResponse, responseTooLarge, unexpectedStatus, untrustedNextLink, pagingLoop, workerCrashed
    case internalError

    package enum FixableBy: String, Sendable, Hashable, CaseIterable {
        case publisher, partner, customer, `operator`, microsoft
    }

    package var outcome: Outcome {
        switch self {
        case .malformedMessage, .invalidCommand, .bodyTooLarge, .routingKeyMismatch, .applicationNotConfigured,
            .ownTenantRefused:
            .rejected
        case .deadlineExceeded: .expired
        default: .failed
        }
    }

    /// Whether the same command, published again later, may succeed without anybody changing anything.
    package var isRetryable: Bool {
        switch self {
        case .throttled, .apiUnavailable, .requestTimedOut, .connectionFailed, .identityUnavailable: true
        default: false
        }
    }

    package var fixableBy: FixableBy {
        switch self {
        case .malformedMessage, .invalidCommand, .bodyTooLarge, .routingKeyMismatch, .ownTenantRefused,
            .deadlineExceeded, .customerNotConsented, .customerTenantNotFound, .notFound, .invalidRequest, .conflict,
            .responseTooLarge:
            .publisher
        case .partnerReauthorizationRequired, .insufficientPrivileges, .customerNotFound, .customerAccessLost:
            .partner
        case .customerConditionalAccess, .serviceNotSubscribed, .resourceNotProvisioned: .customer
        case .applicationNotConfigured, .partnerNotConfigured, .unauthorized, .throttled, .connectionFailed,
            .tlsVerificationFailed, .workerCrashed, .internalError:
            .operator
        case .apiUnavailable, .requestTimedOut, .identityUnavailable, .malformedResponse,
            .unexpectedStatus, .untrustedNextLink, .pagingLoop:
            .microsoft
        }
    }

    /// What to do about it, in one sentence.
    package var remedy: String {
        switch self {
        case .malformedMessage: "Publish a JSON object in UTF-8."
        case .invalidCommand: "Correct the members named in faults and publish the command again."
        case .bodyTooLarge: "Keep the body within 65536 bytes; split the grants over several commands."
        case .routingKeyMismatch:
            "Use the routing key <applicationId>.<customerId> in lower case, with the IDs of the body."
        case .applicationNotConfigured: "Add the application to the worker's configuration, then publish again."
        case .ownTenantRefused: "Name a customer's tenant, not the partner's own."
        case .deadlineExceeded: "Publish the command again with a later deadline if it is still wanted."
        case .partnerNotConfigured: "Add a refresh token for this partner tenant, then replay the command."
        case .partnerReauthorizationRequired:
            "An administrator of the partner signs in again with multi-factor authentication; store the new token."
        case .customerNotConsented: "Grant consent for this customer first."
        case .customerConditionalAccess:
            "The customer's conditional access policy must let the partner's service account in."
        case .customerAccessLost: "Restore the GDAP relationship and the group's roles in this customer."
        case .customerTenantNotFound: "Check the customer's tenant ID; the tenant does not exist or was deleted."
        case .serviceNotSubscribed: "The customer must subscribe to or enable the service."
        case .customerNotFound: "Check that this customer belongs to the partner and the ID is Partner Center's."
        case .notFound: "Check the ID; nothing of that ID exists."
        case .insufficientPrivileges:
            "Give the partner's service account AdminAgents and a GDAP role that may consent in this customer."
        case .resourceNotProvisioned: "The customer needs a licence or service principal for the resource."
        case .invalidRequest: "Correct the command; Microsoft's description says what it refused."
        case .conflict: "Read the current state and decide again."
        case .unauthorized: "Check the application's registration and its permission for the API."
        case .throttled: "Try again later; another program may use the same application's limit."
        case .apiUnavailable: "Try again when Microsoft's service has recovered."
        case .requestTimedOut: "Replay the command; it may already have taken effect."
        case .connectionFailed: "Check the worker's network path, name resolution and the endpoint's address."
        case .identityUnavailable: "Try again when Microsoft's identity service has recovered."
        case .tlsVerificationFailed: "Check the endpoint's certificate and the worker's trusted authorities."
        case .malformedResponse: "Report Microsoft's request ID to them; the answer is not what they document."
        case .responseTooLarge: "Narrow the query; about another command report Microsoft's request ID to them."
        case .unexpectedStatus: "Report Microsoft's request ID to them; the worker does not know this answer."
        case .untrustedNextLink: "Report it to Microsoft; the next page pointed to a foreign host."
        case .pagingLoop: "Report it to Microsoft; the pages never end."
        case .workerCrashed: "Read the worker's logs at the time of this command before replaying it."
        case .internalError: "Report the worker's log lines of this command to the worker's maintainers."
        }
    }
}
