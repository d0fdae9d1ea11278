/// One thing wrong with a command: where (RFC 6901) and why.
package struct Fault: Sendable, Hashable {
    package let pointer: JSONPointer
    package let reason: String

    package init(_ pointer: JSONPointer, _ reason: String) {
        self.pointer = pointer
        self.reason = reason
    }
}

/// A JSON Pointer (RFC 6901), built from the root down.
package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// The document itself.
    package static let root = JSONPointer(description: "")

    package static func / (parent: JSONPointer, member: String) -> JSONPointer {
        if !member.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) {
            return JSONPointer(description: "\(parent.description)/\(member)")
        }
        // By scalars: a slash with a combining accent is a slash to a pointer, and another character to Swift.
        var text = "\(parent.description)/".unicodeScalars
        for scalar in member.unicodeScalars {
            switch scalar {
            case "~": text.append(contentsOf: "~0".unicodeScalars)
            case "/": text.append(contentsOf: "~1".unicodeScalars)
            default: text.append(scalar)
            }
        }
        return JSONPointer(description: String(text))
    }

    package static func / (parent: JSONPointer, index: Int) -> JSONPointer {
        JSONPointer(description: "\(parent.description)/\(index)")
    }
}
