import Foundation
import JSON
import TestSupport
import Testing

@Suite("JSON writer", .timeLimit(.minutes(1)))
struct JSONWriterTests {
    @Test("writes without blanks, members in their order")
    func order() {
        let value: JSONValue = ["z": 1, "a": [true, .null, "x"], "m": [:]]
        #expect(value.text == #"{"z":1,"a":[true,null,"x"],"m":{}}"#)
    }

    @Test("escapes quotes, backslashes and control characters, nothing else")
    func escapes() {
        #expect(
            JSONValue("\"\\/\n\r\t\u{0}\u{8}\u{1F}\u{7F}é😀").text
                == "\"\\\"\\\\/\\n\\r\\t\\u0000\\u0008\\u001f\u{7F}é😀\""
        )
        #expect((["a\"": 1] as JSONValue).text == #"{"a\"":1}"#)
    }

    @Test("writes members one after the other")
    func members() {
        let bytes = JSONWriter.bytes { writer in
            writer.object { object in
                object.member("text", "a\"{")
                object.member("noText", nil as String?)
                object.member("number", -120)
                object.member("digit", 7)
                object.member("noNumber", nil as Int?)
                object.member("flag", true)
                object.member("tree", ["[", [:], []] as JSONValue)
                object.member("noTree", nil as JSONValue?)
                object.member("empty") { _ in }
                object.member("nested") { $0.member("last", false) }
            }
        }
        let members = [
            #""text":"a\"{""#, #""noText":null"#, #""number":-120"#, #""digit":7"#, #""noNumber":null"#,
            #""flag":true"#, #""tree":["[",{},[]]"#, #""noTree":null"#, #""empty":{}"#, #""nested":{"last":false}"#,
        ]
        #expect(String(decoding: bytes, as: UTF8.self) == "{\(members.joined(separator: ","))}")
    }

    @Test("finds what needs an escape wherever it is", arguments: 0..<70)
    func escapePlaces(place: Int) throws {
        for (scalar, escaped) in ["\"": #"\""#, "\\": #"\\"#, "\u{1F}": #"\u001f"#] {
            let (before, after) = (String(repeating: "a", count: place), String(repeating: "é", count: 69 - place))
            #expect(JSONValue(before + scalar + after).text == "\"\(before)\(escaped)\(after)\"")
        }
    }

    @Test("what was written is read back the same", arguments: 0..<500 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let document = Self.document(depth: 5, using: &generator)
        #expect(try JSONParser.parse(document.bytes) == document)
    }

    @Test("Foundation reads what was written as the same document", arguments: 0..<100 as Range<UInt64>)
    func foundationReads(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let document = Self.document(depth: 4, using: &generator)
        let read = try JSONSerialization.jsonObject(with: Data(document.bytes), options: .fragmentsAllowed)
        let rewritten = try JSONSerialization.data(withJSONObject: [read], options: .sortedKeys)
        let expected = try JSONSerialization.jsonObject(with: Data((["v": document] as JSONValue).bytes))
        let again = try #require((expected as? [String: Any])?["v"])
        #expect(rewritten == (try JSONSerialization.data(withJSONObject: [again], options: .sortedKeys)))
        #expect(try JSONParser.parse(Array(rewritten)).array?.count == 1)
    }

    @Test(
        "agrees with Foundation on what is JSON",
        arguments: [
            "{}", "[]", "null", "0", "-0", "1e5", "01", "+1", ".5", "5.", "1e", "\"\\u0000\"", "\"\\uD83D\\uDE00\"",
            "\"\\x\"", "\"a\nb\"", "{a:1}", "{} {}", "[1 2]", "'a'", "tru", "nullx", "//x\n1",
            "\"\u{1F}\"",
            "\"abc", "[", "{\"a\"", "", " ", "\u{A0}1", "[[[[]]]]", "\"\\u12\"", "{\"a\":}", "[,1]", "-", "--1", "0x1",
        ]
    )
    func agreesWithFoundation(text: String) {
        let ours = (try? JSONParser.parse(Array(text.utf8))) != nil
        let theirs = (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
        #expect(ours == theirs)
    }

    private static func document(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 4 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .number(JSONNumber(text: number(using: &generator)))
        case 3: return .string(string(using: &generator))
        case 4:
            let count = Int.random(in: 0..<5, using: &generator)
            return .array((0..<count).map { _ in document(depth: depth - 1, using: &generator) })
        default:
            let count = Int.random(in: 0..<5, using: &generator)
            // Numbered, so that Foundation's dictionaries lose none of them.
            return .object(
                JSONObject(
                    members: (0..<count).map { index in
                        let name = "\(index)" + string(using: &generator)
                        return .init(name: name, value: document(depth: depth - 1, using: &generator))
                    }
                )
            )
        }
    }

    private static func number(using generator: inout SeededGenerator) -> String {
        var text = String(Int.random(in: -1_000_000...1_000_000, using: &generator))
        if Bool.random(using: &generator) { text += "." + String(Int.random(in: 0...999, using: &generator)) }
        if Bool.random(using: &generator) { text += "e" + String(Int.random(in: -20...20, using: &generator)) }
        return text
    }

    private static func string(using generator: inout SeededGenerator) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<8, using: &generator) {
            let bound: UInt32 = [0x20, 0x80, 0x800, 0x1_0000, 0x11_0000].randomElement(using: &generator) ?? 0x80
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<bound, using: &generator)) { scalars.append(scalar) }
        }
        return String(scalars)
    }
}
