import JSON
import MicrosoftAPI
import Secrets

extension FuzzInput {
    /// One answer of Graph.
    static let graphPage = FuzzInput(
        "graph-page",
        JSONMutation(
            names: ["value", "@odata.nextLink", "@odata.context", "id", "appId", "userConsentRequests", "a"],
            values: ["https://graph.microsoft.com/next", "https://graph.microsoft.com.example/next", "//example"]
        ),
        examples: {
            Examples.texts(
                #"{"@odata.context":"c","value":[{"id":"1","appId":"2","pendingScopes":[{"displayName":"é"}]},{"id":"2"}],"@odata.nextLink":"https://graph.microsoft.com/v1.0/x?$skiptoken=1"}"#,
                #"{"value":[]}"#,
                #"{"value":null}"#,
                #"{"id":"1","isEnabled":true}"#
            )
        }
    ) { bytes in
        for page in [GraphPage(collection: bytes), GraphPage(item: bytes)].compactMap(\.self) {
            try require(page.items.allSatisfy { $0.object != nil }, "items are objects")
            let written = page.items.flatMap(\.bytes).count
            try require(written <= 6 * bytes.count, "what is passed on is no larger than what came, escapes apart")
            guard let link = page.nextLink else { continue }
            let origin = Endpoints.origin(of: link)
            try require(link.hasPrefix(origin) || link.utf8.starts(with: origin.utf8), "an origin begins its address")
            let graph = "https://graph.microsoft.com"
            guard origin == graph else { continue }
            let next = link.utf8.dropFirst(graph.utf8.count).first
            let ends = next == nil || [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains(next)
            try require(link.utf8.starts(with: graph.utf8) && ends, "a followed link stays on Graph: \(link)")
        }
    }

    /// A file with a partner's refresh token.
    static let refreshTokenFile = FuzzInput(
        "refresh-token-file",
        JSONMutation(names: ["refreshToken", "obtainedAt"]),
        examples: {
            Examples.texts(
                #"{"refreshToken":"0.AXoA","obtainedAt":"2026-12-01T10:00:00.000Z"}"#,
                "0.AXoA-bare\n",
                #"{"refreshToken":""}"#,
                "{\"refreshToken\":\"x\"",
                "[1]",
                "\u{FEFF}bare"
            )
        }
    ) { bytes in
        guard let entry = RefreshTokenStore.Entry(file: bytes, changed: now) else { return }
        try require(!entry.token.reveal().isEmpty, "a token is not empty")
        try require("\(entry)".contains("<secret>"), "an entry does not print its token: \(entry)")
        _ = entry.daysLeft(at: now)
        try require(entry.expiry > entry.obtainedAt, "a token ends after it began")
    }
}
