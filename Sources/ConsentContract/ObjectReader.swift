import JSON

/// Takes typed members out of one JSON object and collects what is wrong with them.
struct ObjectReader {
    private let object: JSONObject
    private let pointer: JSONPointer
    private(set) var faults: [Fault] = []

    init(_ object: JSONObject, at pointer: JSONPointer = .root) {
        self.object = object
        self.pointer = pointer
    }

    mutating func fault(_ name: String, _ reason: String) {
        faults.append(Fault(pointer / name, reason))
    }

    mutating func fault(_ name: String, _ index: Int, _ reason: String) {
        faults.append(Fault(pointer / name / index, reason))
    }

    /// A fault of the object itself.
    mutating func fault(_ reason: String) {
        faults.append(Fault(pointer, reason))
    }

    mutating func value(_ name: String, required: Bool = true) -> JSONValue? {
        let value = object[name]
        if value == nil && required { fault(name, "is missing") }
        return value
    }

    /// A member's value without judging it.
    func peek(_ name: String) -> JSONValue? { object[name] }

    mutating func refuse(_ name: String, _ reason: String) {
        if object[name] != nil { fault(name, reason) }
    }

    mutating func string(_ name: String, required: Bool = true) -> String? {
        typed(name, "a string", required: required, \.string)
    }

    mutating func bool(_ name: String) -> Bool? {
        typed(name, "a boolean", required: false, \.bool)
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = typed(name, "an integer", required: false, \.int) else { return nil }
        guard range.contains(value) else {
            fault(name, "must be from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    mutating func guid(_ name: String, required: Bool = true) -> GUID? {
        guard let text = string(name, required: required) else { return nil }
        guard let guid = GUID(text) else {
            fault(name, "must be a GUID (8-4-4-4-12 hexadecimal digits)")
            return nil
        }
        return guid
    }

    mutating func timestamp(_ name: String) -> Timestamp? {
        guard let text = string(name, required: false) else { return nil }
        guard let timestamp = Timestamp(text) else {
            fault(name, "must be an RFC 3339 time such as 2026-12-01T10:00:00Z")
            return nil
        }
        return timestamp
    }

    mutating func text(_ name: String, characters range: ClosedRange<Int>) -> String? {
        text(
            name,
            pattern: { range.contains($0.unicodeScalars.count) },
            "must have \(range.lowerBound) to \(range.upperBound) characters"
        )
    }

    mutating func text(_ name: String, bytes: Int) -> String? {
        text(name, pattern: { $0.utf8.count <= bytes }, "must have at most \(bytes) bytes of UTF-8")
    }

    mutating func text(
        _ name: String,
        pattern: (String) -> Bool,
        _ reason: @autoclosure () -> String,
        required: Bool = false
    ) -> String? {
        guard let text = string(name, required: required) else { return nil }
        guard pattern(text) else {
            fault(name, reason())
            return nil
        }
        return text
    }

    mutating func array(_ name: String, count: ClosedRange<Int>) -> [JSONValue]? {
        guard let elements = typed(name, "an array", required: true, \.array) else { return nil }
        guard count.contains(elements.count) else {
            fault(name, "must have \(count.lowerBound) to \(count.upperBound) items, not \(elements.count)")
            return nil
        }
        return elements
    }

    /// Reads an object below this one; its faults are added to these.
    mutating func nested<Result>(
        _ value: JSONValue,
        at name: String,
        _ index: Int? = nil,
        _ read: (inout ObjectReader) -> Result?
    ) -> Result? {
        var child = pointer / name
        if let index { child = child / index }
        guard case .object(let object) = value else {
            faults.append(Fault(child, "must be an object, not \(value.typeName)"))
            return nil
        }
        var reader = ObjectReader(object, at: child)
        let result = read(&reader)
        faults += reader.faults
        return result
    }

    private mutating func typed<Value>(
        _ name: String,
        _ type: String,
        required: Bool,
        _ cast: (JSONValue) -> Value?
    ) -> Value? {
        guard let value = value(name, required: required) else { return nil }
        guard let result = cast(value) else {
            fault(name, "must be \(type), not \(value.typeName)")
            return nil
        }
        return result
    }
}
