/// Writes a document (RFC 8259) without insignificant blanks, as UTF-8, one member after the other: what is written for
/// every command needs no tree in memory first.
package struct JSONWriter: ~Copyable {
    private var bytes: [UInt8] = []

    /// The document that `write` writes: one value.
    package static func bytes(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        write(&writer)
        return writer.bytes
    }

    private init() { bytes.reserveCapacity(1024) }

    /// Writes an object with the members that `members` writes.
    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        bytes.append(UInt8(ascii: "{"))
        members(&self)
        bytes.append(UInt8(ascii: "}"))
    }

    /// Writes a member of the object that is being written, here one that is an object itself.
    /// - Parameter name: needs no escapes.
    package mutating func member(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
        begin(name)
        object(members)
    }

    package mutating func member(_ name: StaticString, _ value: String?) {
        begin(name)
        if let value { write(value) } else { write(literal: "null") }
    }

    package mutating func member(_ name: StaticString, _ value: Int?) {
        begin(name)
        if let value { write(value) } else { write(literal: "null") }
    }

    package mutating func member(_ name: StaticString, _ value: Bool) {
        begin(name)
        write(value)
    }

    package mutating func member(_ name: StaticString, _ value: JSONValue?) {
        begin(name)
        write(value ?? .null)
    }

    private mutating func begin(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    /// A text ends with its quotation mark, so a bracket is always one that was just opened.
    private mutating func separate() {
        if bytes.last != UInt8(ascii: "{"), bytes.last != UInt8(ascii: "[") { bytes.append(UInt8(ascii: ",")) }
    }

    // MARK: - Values

    fileprivate mutating func write(_ value: JSONValue) {
        switch value {
        case .null: write(literal: "null")
        case .bool(let value): write(value)
        case .number(let value): bytes.append(contentsOf: value.text.utf8)
        case .string(let value): write(value)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for element in elements {
                separate()
                write(element)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for member in object.members {
                separate()
                write(member.name)
                bytes.append(UInt8(ascii: ":"))
                write(member.value)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private mutating func write(_ value: Bool) { write(literal: value ? "true" : "false") }

    private mutating func write(literal: StaticString) { literal.withUTF8Buffer { bytes.append(contentsOf: $0) } }

    private mutating func write(_ value: Int) {
        if (0...9).contains(value) {
            bytes.append(UInt8(ascii: "0") + UInt8(value))
        } else {
            bytes.append(contentsOf: String(value).utf8)
        }
    }

    private mutating func write(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { text in
            if Self.needsEscapes(text) {
                for byte in text { writeEscaped(byte) }
            } else {
                bytes.append(contentsOf: text)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscapes(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
    }

    private mutating func writeEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0x0A: write(literal: "\\n")
        case 0x0D: write(literal: "\\r")
        case 0x09: write(literal: "\\t")
        case 0..<0x20:
            write(literal: "\\u00")
            bytes.append(Self.hexadecimal[Int(byte >> 4)])
            bytes.append(Self.hexadecimal[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}

extension JSONValue {
    /// The document without insignificant blanks, as UTF-8.
    package var bytes: [UInt8] { JSONWriter.bytes { $0.write(self) } }

    /// The document as text, for people and tests.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}
