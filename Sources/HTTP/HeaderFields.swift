/// The header fields of an answer, as they came: it has many, of which few are asked for.
struct HeaderFields: Sendable {
    /// Where the field is in the text.
    private struct Field {
        let name: Range<Int>
        let value: Range<Int>
    }

    private var text: [UInt8] = []
    private var fields: [Field] = []

    /// - Parameter line: with or without the line break at its end. What has no colon is no field.
    mutating func append(line: some Sequence<UInt8>) {
        if fields.isEmpty {
            text.reserveCapacity(512)
            fields.reserveCapacity(16)
        }
        let start = text.count
        text.append(contentsOf: line)
        guard let colon = text[start...].firstIndex(of: UInt8(ascii: ":")) else { return }
        fields.append(Field(name: trimmed(start..<colon), value: trimmed(colon + 1..<text.count)))
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isBlank(text[start]) { start += 1 }
        while start < end, isBlank(text[end - 1]) { end -= 1 }
        return start..<end
    }

    /// The value of the first field of that name, whatever its case.
    subscript(name: String) -> String? {
        let name = name.utf8
        let field = fields.first { field in
            // Most differ in length already.
            field.name.count == name.count && text[field.name].elementsEqual(name) { $0 | 0x20 == $1 | 0x20 }
        }
        return field.map { String(decoding: text[$0.value], as: UTF8.self) }
    }
}
