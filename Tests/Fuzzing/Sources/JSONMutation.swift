import JSON

/// Changes one value of a JSON document, which mostly stays one.
package struct JSONMutation: Mutation {
    private let names: [String]
    private let values: [JSONValue]

    /// - Parameters:
    ///   - names: of members that mean something.
    ///   - values: that mean something somewhere.
    package init(names: [String], values: [String] = []) {
        self.names = names
        let numbers = [
            "0", "-0", "-1", "1", "65536", "1000001", "9223372036854775807", "9223372036854775808", "1e999", "0.1",
        ]
        self.values =
            (values + Words.hostile).map { .string($0) } + numbers.map { .number(JSONNumber(text: $0)) }
            + [.null, true, false, [], .object(JSONObject())]
    }

    package func mutated(_ bytes: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        guard Int.random(in: 0..<8, using: &generator) > 0, let document = try? JSONParser.parse(bytes) else {
            return ByteMutation().mutated(bytes, using: &generator)
        }
        var place = Int.random(in: 0..<Self.size(of: document), using: &generator)
        return changed(document, &place, &generator).bytes
    }

    private static func size(of value: JSONValue) -> Int {
        switch value {
        case .array(let elements): elements.reduce(1) { $0 + size(of: $1) }
        case .object(let object): object.members.reduce(1) { $0 + size(of: $1.value) }
        default: 1
        }
    }

    /// - Parameter countdown: how many values come before the one to change, in the order of the document.
    private func changed(
        _ value: JSONValue,
        _ countdown: inout Int,
        _ generator: inout some RandomNumberGenerator
    ) -> JSONValue {
        guard countdown >= 0 else { return value }
        countdown -= 1
        if countdown < 0 { return replacement(of: value, &generator) }
        switch value {
        case .array(let elements):
            var result: [JSONValue] = []
            for element in elements { result.append(changed(element, &countdown, &generator)) }
            return .array(result)
        case .object(let object):
            var members: [JSONObject.Member] = []
            for member in object.members {
                members.append(.init(name: member.name, value: changed(member.value, &countdown, &generator)))
            }
            return .object(JSONObject(members: members))
        default: return value
        }
    }

    private func replacement(of value: JSONValue, _ generator: inout some RandomNumberGenerator) -> JSONValue {
        let other = values.randomElement(using: &generator) ?? .null
        switch value {
        case .object(let object) where Bool.random(using: &generator):
            return .object(changed(object, other, &generator))
        case .array(var elements) where Bool.random(using: &generator):
            let index = Int.random(in: 0...elements.count, using: &generator)
            if index < elements.count, Bool.random(using: &generator) {
                elements.remove(at: index)
            } else {
                let count = Bool.random(using: &generator) ? 1 : 70
                let element = elements.randomElement(using: &generator) ?? other
                elements.insert(contentsOf: repeatElement(element, count: count), at: index)
            }
            return .array(elements)
        case .string(let text) where Bool.random(using: &generator):
            var scalars = Array(text.unicodeScalars)
            let word = Words.hostile.randomElement(using: &generator) ?? ""
            scalars.insert(contentsOf: word.unicodeScalars, at: Int.random(in: 0...scalars.count, using: &generator))
            return .string(String(String.UnicodeScalarView(scalars)))
        default:
            // Deep enough to meet the limit in a document that is itself not flat.
            return Int.random(in: 0..<50, using: &generator) > 0 ? other : Self.nested(other, levels: 61)
        }
    }

    private func changed(
        _ object: JSONObject,
        _ value: JSONValue,
        _ generator: inout some RandomNumberGenerator
    ) -> JSONObject {
        var members = object.members
        let name = (names + Words.hostile).randomElement(using: &generator) ?? ""
        let index = Int.random(in: 0...members.count, using: &generator)
        guard index < members.count else { return JSONObject(members: members + [.init(name: name, value: value)]) }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: members.remove(at: index)
        case 1: members.append(members[index])
        case 2: members[index] = .init(name: name, value: members[index].value)
        default: members.insert(.init(name: name, value: value), at: index)
        }
        return JSONObject(members: members)
    }

    private static func nested(_ value: JSONValue, levels: Int) -> JSONValue {
        (0..<levels).reduce(value) { inner, level in
            level.isMultiple(of: 2) ? .array([inner]) : .object(JSONObject(members: [.init(name: "/", value: inner)]))
        }
    }
}
