/// Changes an input so that most of it stays as it should be: what is all wrong is refused before it gets deep.
package protocol Mutation: Sendable {
    func mutated(_ bytes: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8]
}

/// Knows nothing of the input: bits, bytes and ranges.
package struct ByteMutation: Mutation {
    package init() {}

    package func mutated(_ bytes: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = bytes
        let position = Int.random(in: 0...bytes.count, using: &generator)
        let end = min(bytes.count, position + Int.random(in: 0...16, using: &generator))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0 where position < bytes.count: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1 where position < bytes.count: bytes[position] = .random(in: 0...255, using: &generator)
        case 2: bytes.removeSubrange(position..<end)
        case 3: bytes.insert(contentsOf: bytes[position..<end], at: position)
        case 4: bytes.removeSubrange(position...)
        default: bytes.insert(.random(in: 0...255, using: &generator), at: position)
        }
        return bytes
    }
}

/// Knows words and what stands between them.
package struct TextMutation: Mutation {
    private let words: [String]

    package init(_ words: [String]) { self.words = words + Words.hostile }

    package func mutated(_ bytes: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        if Int.random(in: 0..<8, using: &generator) == 0 { return ByteMutation().mutated(bytes, using: &generator) }
        var tokens = Self.tokens(bytes)
        let place = Int.random(in: 0...tokens.count, using: &generator)
        let end = min(tokens.count, place + Int.random(in: 1...8, using: &generator))
        let word = Array((words.randomElement(using: &generator) ?? "").utf8)[...]
        switch Int.random(in: 0..<6, using: &generator) {
        case 0 where place < tokens.count: tokens[place] = word
        case 1: tokens.removeSubrange(place..<end)
        case 2: tokens.insert(contentsOf: tokens[place..<end], at: place)
        case 3 where !tokens.isEmpty: tokens.insert(tokens.randomElement(using: &generator) ?? word, at: place)
        case 4 where place < tokens.count: tokens.swapAt(place, Int.random(in: 0..<tokens.count, using: &generator))
        default: tokens.insert(word, at: place)
        }
        return Array(tokens.joined())
    }

    /// Runs of letters and digits, and every other byte by itself.
    private static func tokens(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var tokens: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex { !isWord($0) } ?? bytes.count
            tokens.append(bytes[start..<max(end, start + 1)])
            start = max(end, start + 1)
        }
        return tokens
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
