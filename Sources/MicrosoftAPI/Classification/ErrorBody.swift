import JSON

/// The code and words of an error answer, whichever of Microsoft's shapes it has.
///
/// Partner Center: `{code, description}` with a number or a string for code; its gateway: `{statusCode, message}`;
/// Graph and newer gateways: `{error: {code, message}}`; the token endpoint: `{error, error_description}`; proxies:
/// text, XML, HTML or nothing.
struct ErrorBody: Sendable, Hashable {
    let code: String?
    let description: String?

    /// What an event carries at most, in Unicode scalars: a character can be of any length.
    static let maximumDescription = 1024

    init(_ body: [UInt8]) {
        guard let document = try? JSONParser.parse(body), document.object != nil else {
            code = nil
            description = Self.cut(String(decoding: body.prefix(4 * Self.maximumDescription), as: UTF8.self))
            return
        }
        if let error = document["error"], error.object != nil {
            code = Self.text(error["code"])
            description = Self.cut(error["message"]?.string)
        } else if let error = document["odata.error"], error.object != nil {
            code = Self.text(error["code"])
            description = Self.cut(error["message"]?["value"]?.string ?? error["message"]?.string)
        } else {
            code = Self.text(document["code"]) ?? Self.text(document["error"]) ?? Self.text(document["statusCode"])
            description = Self.cut(
                document["description"]?.string ?? document["message"]?.string
                    ?? document["error_description"]?.string
            )
        }
    }

    /// Microsoft's texts are matched where no code tells the cases apart.
    func mentions(_ words: String) -> Bool {
        description?.lowercased().contains(words) ?? false
    }

    private static func text(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): cut(text)
        case .number(let number): cut(number.text)
        default: nil
        }
    }

    /// nil for what says nothing.
    static func cut(_ text: String?) -> String? {
        guard let text, !text.isEmpty else { return nil }
        return String(text.unicodeScalars.prefix(maximumDescription))
    }
}
