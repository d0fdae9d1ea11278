package import MicrosoftAPI

/// One value for each API.
package struct PerAPI<Value> {
    private var partnerCenter: Value
    private var graph: Value

    package init(_ make: (API) -> Value) {
        partnerCenter = make(.partnerCenter)
        graph = make(.graph)
    }

    package subscript(api: API) -> Value {
        get {
            switch api {
            case .partnerCenter: partnerCenter
            case .graph: graph
            }
        }
        set {
            switch api {
            case .partnerCenter: partnerCenter = newValue
            case .graph: graph = newValue
            }
        }
    }
}

extension PerAPI: Sendable where Value: Sendable {}
