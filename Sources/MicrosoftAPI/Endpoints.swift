/// Where Microsoft's APIs are, without a slash at the end.
package struct Endpoints: Sendable, Hashable {
    package var partnerCenter: String
    /// With the version: `…/v1.0` or `…/beta`.
    package var graph: String
    package var identity: String

    package init(
        partnerCenter: String = "https://api.partnercenter.microsoft.com",
        graph: String = "https://graph.microsoft.com/v1.0",
        identity: String = "https://login.microsoftonline.com"
    ) {
        self.partnerCenter = partnerCenter
        self.graph = graph
        self.identity = identity
    }

    /// What a token for an API is asked for. A national cloud's resource is its endpoint's origin; an endpoint on
    /// loopback stands in for the worldwide service.
    package func resource(of api: API) -> String {
        let (endpoint, worldwide) =
            switch api {
            case .partnerCenter: (partnerCenter, "https://api.partnercenter.microsoft.com")
            case .graph: (graph, "https://graph.microsoft.com")
            }
        guard endpoint.hasPrefix("https://"), !Self.isLoopback(endpoint) else { return worldwide }
        return Self.origin(of: endpoint)
    }

    /// Scheme, host and port of an address.
    package static func origin(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        return String(url[..<(url[scheme.upperBound...].firstIndex { "/?#".contains($0) } ?? url.endIndex)])
    }

    /// Whether what is sent there stays on this machine.
    package static func isLoopback(_ url: String) -> Bool {
        guard let scheme = url.firstRange(of: "://") else { return false }
        let authority = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
        // Before an @ stands a user, and the host after it.
        guard !authority.contains("@") else { return false }
        let host =
            authority.hasPrefix("[") ? authority.prefix { $0 != "]" }.dropFirst() : authority.prefix { $0 != ":" }
        return host == "localhost" || host == "::1" || isLoopbackAddress(host)
    }

    /// `127.0.0.1` and its like, not names that begin so.
    private static func isLoopbackAddress(_ host: Substring) -> Bool {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
    }
}

/// The APIs that are called for commands. Each has its own limit key an application.
package enum API: String, Sendable, Hashable, CaseIterable {
    case partnerCenter, graph
}
