/// A read of Graph's `appConsentRequests`.
package struct Query: Sendable, Hashable {
    package enum Operation: Sendable, Hashable {
        case list(Filter, order: Order?, top: Int?)
        case get(id: String)
        case filterByCurrentUser
    }

    package struct Filter: Sendable, Hashable {
        package var appID: GUID?
        package var appDisplayName: String?
        package var consentType: String?
        package var userConsentStatus: String?

        package init() {}
    }

    package struct Order: Sendable, Hashable {
        package let property: String
        package let descending: Bool
    }

    package enum Inclusion: String, Sendable, Hashable, CaseIterable {
        /// Each item with its `userConsentRequests`, which Graph leaves out of lists.
        case userConsentRequests
        /// Where the list is empty, whether the admin consent workflow is enabled at all.
        case policy
    }

    package let operation: Operation
    package let includes: Set<Inclusion>
}
