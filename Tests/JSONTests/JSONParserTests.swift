import JSON
import Testing

@Suite("JSON parser", .timeLimit(.minutes(1)))
struct JSONParserTests {
    private func parse(_ text: String) throws(JSONParser.Failure) -> JSONValue {
        try JSONParser.parse(Array(text.utf8))
    }

    private func nested(_ levels: Int, _ inner: String = "") -> String {
        String(repeating: "[", count: levels) + inner + String(repeating: "]", count: levels)
    }

    @Test(
        "reads every kind of value",
        arguments: [
            ("null", .null), (" true ", true), ("false", false), ("\"\"", ""), ("[]", []), ("{}", [:]),
            ("\t[1 ,\n{\"a\" :\r\n\"b\"} ]", [1, ["a": "b"]]),
        ] as [(String, JSONValue)]
    )
    func values(text: String, value: JSONValue) throws {
        #expect(try parse(text) == value)
    }

    @Test(
        "keeps a number's text",
        arguments: [
            "0", "-0", "1e5", "1E+5", "1.50", "-0.0e-0", "123456789012345678901234567890", "0.1",
        ]
    )
    func numbers(text: String) throws {
        #expect(try parse(text) == .number(JSONNumber(text: text)))
    }

    @Test(
        "refuses what is no number",
        arguments: [
            "01", "-01", "+1", ".5", "5.", "1e", "1e+", "-", "--1", "0x1", "1_000", "NaN", "Infinity", "-Infinity",
            "1 2",
            "٣", "1,0",
        ]
    )
    func notNumbers(text: String) {
        #expect(throws: JSONParser.Failure.self) { try parse(text) }
    }

    @Test("gives an integer only for one that is written as such and in range")
    func integers() throws {
        #expect(try parse("9223372036854775807").int == Int.max)
        #expect(try parse("-0").int == 0)
        for text in ["9223372036854775808", "1.0", "1e2", "\"1\"", "true"] { #expect(try parse(text).int == nil) }
    }

    @Test(
        "reads escapes",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u0041\u00e9\u00E9""#, "Aéé"),
            (#""\uD83D\uDE00\ud83d\ude00""#, "😀😀"), (#""\uFFFF\uE000""#, "\u{FFFF}\u{E000}"),
            (#""a\u0000b""#, "a\0b"), ("\"\u{7F}\u{2028}é\"", "\u{7F}\u{2028}é"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
        ]
    )
    func escapes(text: String, value: String) throws {
        #expect(try parse(text) == .string(value))
    }

    @Test(
        "refuses broken strings",
        arguments: [
            #""\uD800""#, #""\uDC00""#, #""\uD800x""#, #""\uD800\n""#, #""\uD800\uD800""#, #""\uDE00\uD83D""#,
            #""\u12""#,
            #""\u12G4""#, #""\u １２３""#, #""\uＡＢＣＤ""#, #""\x41""#, #""\""#, #""\"#, #""abc"#, "\"a\nb\"", "\"\t\"",
            "\"\u{0}\"",
            "\"\u{1F}\"", #""\U0041""#, #"'a'"#, #""\u+123""#,
        ]
    )
    func brokenStrings(text: String) {
        #expect(throws: JSONParser.Failure.self) { try parse(text) }
    }

    @Test(
        "refuses what is not UTF-8",
        arguments: [
            [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xF0, 0x80, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xFF],
            [0xC3], [0xE2, 0x82], [0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse([quote] + bytes + [quote]) }
        // After an escape another path reads the text.
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(Array("\"\\n".utf8) + bytes + [quote]) }
    }

    @Test(
        "refuses what is no document",
        arguments: [
            "", " ", "\u{FEFF}{}", "{} {}", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{,}", "{a:1}", "{\"a\" 1}",
            "{\"a\":}", "{1:2}",
            "[", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "[1", "]", "}", "tru", "True", "nul", "nullx", "//x\n1", "/**/1",
            "1//x",
            "\u{A0}1", "\u{0C}1", "[\"a\":1]", "{\"a\",1}", "undefined",
        ]
    )
    func notDocuments(text: String) {
        #expect(throws: JSONParser.Failure.self) { try parse(text) }
    }

    @Test("refuses UTF-16")
    func utf16() {
        let bytes = "{}".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse([0xFF, 0xFE] + bytes) }
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(bytes) }
    }

    @Test("reads 64 levels, the root being the first, whatever the innermost holds")
    func depth() throws {
        for inner in ["", "1", "\"a\"", "null"] { _ = try parse(nested(64, inner)) }
        _ = try parse("{\"a\":" + nested(63) + "}")
    }

    @Test("refuses the 65th level as too deep, and a very deep document too", arguments: [65, 66, 30_000])
    func tooDeep(levels: Int) {
        let failure = #expect(throws: JSONParser.Failure.self) { try parse(nested(levels)) }
        #expect(failure?.code == .tooDeep)
        #expect(failure?.offset == 64)
        let object = #expect(throws: JSONParser.Failure.self) {
            try parse(String(repeating: "{\"a\":", count: levels))
        }
        #expect(object?.code == .tooDeep)
    }

    @Test("levels side by side do not add up")
    func siblings() throws {
        let document = "[" + Array(repeating: nested(63), count: 100).joined(separator: ",") + "]"
        #expect(try parse(document).array?.count == 100)
    }

    @Test("says where and why it stopped")
    func failureText() {
        let failure = #expect(throws: JSONParser.Failure.self) { try parse("{\"a\": tru}") }
        #expect(failure?.code == .malformed)
        #expect(failure?.description == "unexpected character at byte 6")
    }

    @Test("keeps duplicate members and names each once")
    func duplicates() throws {
        let object = try #require(try parse(#"{"b":1,"a":2,"b":3,"\u0062":4,"a":5,"c":6}"#).object)
        #expect(object.members.map(\.name) == ["b", "a", "b", "b", "a", "c"])
        #expect(object.duplicates == ["b", "a"])
        #expect(object["b"] == 1)
    }

    @Test("names are equal by code points, not by looks")
    func canonicalEquivalents() throws {
        let object = try #require(try parse("{\"\u{E9}\":1,\"e\u{301}\":2}").object)
        #expect(object.duplicates == [])
    }
}
