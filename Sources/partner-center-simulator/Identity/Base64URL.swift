import FoundationEssentials

/// Base64 as in a JWT: for URLs, and without padding.
enum Base64URL {
    static func encode(_ data: Data) -> String {
        let base64 = data.base64EncodedString().prefix { $0 != "=" }
        return String(base64.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }

    /// nil for anything else, padding and usual Base64 included.
    static func decode(_ text: some StringProtocol) -> Data? {
        guard !text.contains(where: { $0 == "+" || $0 == "/" || $0 == "=" }) else { return nil }
        let base64 = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        return Data(base64Encoded: base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4))
    }
}
