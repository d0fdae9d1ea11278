/// A JSON document as a tree. Objects keep the order of their members and every duplicate, numbers keep their text:
/// what is passed through comes out as it went in.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// A number by its JSON text, so that no digit is lost.
package struct JSONNumber: Sendable, Hashable {
    package let text: String

    package init(text: String) { self.text = text }

    package init(_ value: Int) { text = String(value) }

    /// The value if it is an integer in range, written without fraction or exponent.
    package var int: Int? { Int(text) }
}

/// Members in the order of the document.
package struct JSONObject: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package let name: String
        package let value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var members: [Member] = []

    package init() {}

    package init(members: [Member]) { self.members = members }

    /// The first member of that name.
    package subscript(name: String) -> JSONValue? {
        members.first { $0.name == name }?.value
    }

    /// Names that occur more than once, each once, in order of their second occurrence.
    package var duplicates: [String] {
        // By bytes, as RFC 8259 compares names: to a Swift string, é is e with an accent.
        func equals(_ index: Int, _ other: Int) -> Bool {
            let (name, otherName) = (members[index].name.utf8, members[other].name.utf8)
            return name.count == otherName.count && name.elementsEqual(otherName)
        }
        // Few enough to be compared with each other sooner than hashed.
        guard members.count > 32 else {
            return members.indices.filter { index in (0..<index).count { equals($0, index) } == 1 }
                .map { members[$0].name }
        }
        var counts: [[UInt8]: Int] = [:]
        return members.map(\.name).filter { name in
            counts[Array(name.utf8), default: 0] += 1
            return counts[Array(name.utf8)] == 2
        }
    }

    package mutating func append(_ name: String, _ value: JSONValue) {
        members.append(Member(name: name, value: value))
    }
}

extension JSONValue {
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var int: Int? {
        if case .number(let value) = self { value.int } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    package var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member of that name, nil for anything but an object that has it.
    package subscript(name: String) -> JSONValue? { object?[name] }

    /// What a message about a wrong type calls this value.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(members: elements.map { JSONObject.Member(name: $0.0, value: $0.1) }))
    }

    package init(_ value: Int?) { self = value.map { .number(JSONNumber($0)) } ?? .null }
    package init(_ value: String?) { self = value.map { .string($0) } ?? .null }
}
