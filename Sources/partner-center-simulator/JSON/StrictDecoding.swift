/// A member's name as it stands in a document.
struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int?

    init(stringValue: String) { self.stringValue = stringValue }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}

extension Decoder {
    /// A container for `keys` that accepts no other members: a misspelt one would otherwise be a setting that silently
    /// does nothing.
    func strictContainer<Keys: CodingKey & CaseIterable>(keyedBy keys: Keys.Type) throws -> KeyedDecodingContainer<Keys>
    {
        let known = Set(Keys.allCases.map(\.stringValue))
        let present = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        if let unknown = present.sorted().first(where: { !known.contains($0) }) {
            let message = "unknown key '\(unknown)' (known: \(known.sorted().joined(separator: ", ")))"
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: message))
        }
        return try container(keyedBy: keys)
    }

    func refuse(_ message: String) -> DecodingError {
        DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: message))
    }
}

/// A GUID of a plan or a control request, in lower case.
struct GUIDValue: Codable, Hashable, Sendable {
    var text: String

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let normalized = Identifiers.normalizedGUID(text) else {
            throw decoder.refuse("'\(text)' is not a GUID")
        }
        self.text = normalized
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
