import FoundationEssentials

/// Random identifiers for answers.
enum Identifiers {
    static func guid() -> String {
        UUID().uuidString.lowercased()
    }

    /// `text` in lower case if it is a GUID in its usual form, else nil.
    static func normalizedGUID(_ text: some StringProtocol) -> String? {
        let bytes = text.utf8
        guard bytes.count == 36 else { return nil }
        for (offset, byte) in bytes.enumerated() {
            let isHyphen = offset == 8 || offset == 13 || offset == 18 || offset == 23
            if isHyphen {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard Character(UnicodeScalar(byte)).isHexDigit else { return nil }
            }
        }
        return text.lowercased()
    }

    /// An opaque string of letters and digits.
    static func opaque(length: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
