import NIOConcurrencyHelpers

/// The appConsentRequests of all tenants. Generated ones are kept once a tenant has been read.
final class GraphStore: Sendable {
    private struct State {
        var settings: GraphSettings
        var items: [String: [JSON]] = [:]
    }

    private let state: NIOLockedValueBox<State>

    init(settings: GraphSettings) {
        state = NIOLockedValueBox(State(settings: settings))
    }

    var settings: GraphSettings { state.withLockedValue { $0.settings } }

    func change(to settings: GraphSettings) {
        state.withLockedValue { $0 = State(settings: settings) }
    }

    func items(ofTenant tenant: String) -> [JSON] {
        state.withLockedValue { state in
            if let items = state.items[tenant] { return items }
            let given = state.settings.tenants[tenant]
            let count = given?.count ?? state.settings.defaultCount
            let items = given?.items ?? ConsentRequestGenerator.items(tenant: tenant, count: count)
            state.items[tenant] = items
            return items
        }
    }
}
