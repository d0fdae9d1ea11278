import FoundationEssentials

/// JSON as bytes: sorted members, so that answers are the same in every run.
enum JSONText {
    static func encode(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(value)
        } catch {
            // Only a number that is not finite cannot be written, and no answer has one.
            preconditionFailure("An answer cannot be written as JSON: \(error)")
        }
    }

    /// - Parameter folder: where relative paths in the document start.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: some Collection<UInt8>,
        of folder: URL? = nil
    ) throws -> Value {
        let decoder = JSONDecoder()
        if let folder { decoder.userInfo[Self.folder] = folder }
        return try decoder.decode(type, from: Data(bytes))
    }

    /// Under which a decoder knows the folder of its document.
    static let folder = {
        guard let key = CodingUserInfoKey(rawValue: "folder") else { preconditionFailure("not a key") }
        return key
    }()

    /// One sentence about what is wrong with a document, with the path to the place.
    static func explain(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .dataCorrupted(let context):
            let at = path(context.codingPath)
            return at == "/" ? context.debugDescription : "\(at): \(context.debugDescription)"
        case .keyNotFound(let key, let context):
            return "\(path(context.codingPath)): the member '\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            return "\(error)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        "/" + keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
    }
}
