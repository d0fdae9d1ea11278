import JSON

extension FuzzInput {
    /// Everything that is JSON, before it means anything.
    static let json = FuzzInput(
        "json",
        JSONMutation(names: ["a", "é", "e\u{301}"], values: ["\u{10FFFF}", "\u{7F}"]),
        examples: {
            Examples.texts(
                #"{"a":[1,-0.5e+3,"\ud83d\ude00\u0000\/",{"a":1,"a":2}],"é":null}"#,
                " [ true , false ] ",
                #""\ud800""#,
                "[[[[1]]]]",
                "01",
                "1.e5",
                "\u{FEFF}{}",
                "{\"a\":\"\u{1}\"}"
            )
        }
    ) { bytes in
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch let failure as JSONParser.Failure {
            try require((0...bytes.count).contains(failure.offset), "the offset \(failure.offset) is in the text")
            return
        }
        try require(levels(of: value) <= JSONParser.maximumDepth, "nested deeper than allowed")
        let written = value.bytes
        try require(String(validating: written, as: UTF8.self) != nil, "what is written is UTF-8")
        try require(try JSONParser.parse(written).isIdentical(to: value), "what is written is read again")
        try require(!written.contains { $0 < 0x20 }, "what is written is one line")
    }

    private static func levels(of value: JSONValue) -> Int {
        switch value {
        case .array(let elements): 1 + (elements.map(levels).max() ?? 0)
        case .object(let object): 1 + (object.members.map { levels(of: $0.value) }.max() ?? 0)
        default: 0
        }
    }
}

extension JSONValue {
    /// By bytes: to Swift, é is e with an accent.
    func isIdentical(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.string(let one), .string(let two)): one.utf8.elementsEqual(two.utf8)
        case (.number(let one), .number(let two)): one.text.utf8.elementsEqual(two.text.utf8)
        case (.array(let one), .array(let two)): one.elementsEqual(two) { $0.isIdentical(to: $1) }
        case (.object(let one), .object(let two)):
            one.members.elementsEqual(two.members) {
                $0.name.utf8.elementsEqual($1.name.utf8) && $0.value.isIdentical(to: $1.value)
            }
        default: self == other
        }
    }
}
