/// A strict RFC 8259 parser from bytes to ``JSONValue``.
///
/// Written by hand because commands are refused with *every* fault named, duplicate members included, which decoders
/// to typed values cannot tell. Input is bounded by the caller; nesting is bounded here.
package struct JSONParser {
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package enum Code: Sendable, Hashable {
            case malformed
            /// JSON perhaps, but nested deeper than ``maximumDepth``.
            case tooDeep
        }

        package let code: Code
        package let offset: Int
        package let reason: String

        package var description: String { "\(reason) at byte \(offset)" }
    }

    /// Levels of arrays and objects that no message needs more of and a recursive parser survives; the root is the first.
    package static let maximumDepth = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    /// - Throws: ``Failure`` with the first place that is not JSON.
    package static func parse(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        try bytes.withUnsafeBufferPointer { bytes throws(Failure) in
            var parser = JSONParser(bytes: bytes)
            let value = try parser.value(level: 1)
            parser.skipBlanks()
            guard parser.position == bytes.count else { throw parser.failure("unexpected text after the document") }
            return value
        }
    }

    /// - Parameter bytes: outlives the parser. Every index is compared with their number before it is used.
    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func failure(_ reason: String) -> Failure { Failure(code: .malformed, offset: position, reason: reason) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func value(level: Int) throws(Failure) -> JSONValue {
        skipBlanks()
        switch current {
        case nil: throw failure("unexpected end")
        case UInt8(ascii: "{"): return .object(try object(level: level))
        case UInt8(ascii: "["): return .array(try array(level: level))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count, bytes[position..<end].elementsEqual(text.description.utf8) else {
            throw failure("unexpected character")
        }
        position = end
        return value
    }

    private mutating func open(level: Int) throws(Failure) {
        guard level <= Self.maximumDepth else {
            let reason = "nested deeper than \(Self.maximumDepth) levels"
            throw Failure(code: .tooDeep, offset: position, reason: reason)
        }
        position += 1
    }

    private mutating func object(level: Int) throws(Failure) -> JSONObject {
        try open(level: level)
        skipBlanks()
        if current == UInt8(ascii: "}") {
            position += 1
            return JSONObject()
        }
        var members: [JSONObject.Member] = []
        // For the document itself, which mostly has several; what is below can be very many.
        if level == 1 { members.reserveCapacity(16) }
        while true {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else { throw failure("expected a member name") }
            let name = try string()
            skipBlanks()
            guard current == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            members.append(.init(name: name, value: try value(level: level + 1)))
            skipBlanks()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return JSONObject(members: members)
            case nil: throw failure("unexpected end")
            default: throw failure("expected ',' or '}'")
            }
        }
    }

    private mutating func array(level: Int) throws(Failure) -> [JSONValue] {
        try open(level: level)
        var elements: [JSONValue] = []
        skipBlanks()
        if current == UInt8(ascii: "]") {
            position += 1
            return []
        }
        while true {
            elements.append(try value(level: level + 1))
            skipBlanks()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return elements
            case nil: throw failure("unexpected end")
            default: throw failure("expected ',' or ']'")
            }
        }
    }

    private mutating func number() throws(Failure) -> JSONNumber {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if current == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return JSONNumber(text: String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = current, byte >= 0x30, byte <= 0x39 { position += 1 }
        guard position > start else { throw failure("unexpected character") }
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if current == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try text(UnsafeBufferPointer(rebasing: bytes[start..<position]))
        }
        var buffer = Array(bytes[start..<position])
        while true {
            guard let byte = current else { throw failure("unexpected end in a string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return try buffer.withUnsafeBufferPointer { bytes throws(Failure) in try text(bytes) }
            case UInt8(ascii: "\\"): try escape(into: &buffer)
            case 0..<0x20: throw failure("control character in a string")
            default: buffer.append(byte)
            }
        }
    }

    private func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) -> String {
        // What is all ASCII need not be looked at scalar by scalar.
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("invalid UTF-8 in a string") }
        return text
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(Failure) {
        guard let byte = current else { throw failure("unexpected end in a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"): buffer.append(contentsOf: String(try unicodeScalar()).utf8)
        default: throw failure("unknown escape")
        }
    }

    private mutating func unicodeScalar() throws(Failure) -> Character {
        let high = try hexadecimal()
        var code = UInt32(high)
        if (0xD800..<0xDC00).contains(high) {
            guard current == UInt8(ascii: "\\") else { throw failure("unpaired surrogate") }
            position += 1
            guard current == UInt8(ascii: "u") else { throw failure("unpaired surrogate") }
            position += 1
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw failure("unpaired surrogate") }
            code = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure("unpaired surrogate") }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws(Failure) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("unexpected end in a string") }
        var value: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure("bad \\u escape") }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }
}
