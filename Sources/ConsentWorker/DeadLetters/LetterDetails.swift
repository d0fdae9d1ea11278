package import AMQP
import ConsentContract
package import JSON

/// Everything about one letter, to be shown.
package struct LetterDetails: Sendable {
    package let letter: KeptLetter
    private let headers: JSONObject
    private let error: JSONObject
    /// The body as JSON if it is that, else as text; null where there is none.
    private let body: JSONValue

    package init(properties: AMQPProperties, body: AMQPDelivery.Body) {
        letter = KeptLetter(properties: properties, body: body)
        headers = Redaction.members(properties.headers)
        error = Self.error(properties.headers)
        switch body {
        case .complete(let bytes) where !bytes.isEmpty:
            let document = try? JSONParser.parse(bytes)
            self.body = document.map(Redaction.value) ?? .string(String(decoding: bytes, as: UTF8.self))
        case .complete, .tooLarge:
            self.body = .null
        }
    }

    package var json: JSONValue {
        var object = letter.json.object ?? JSONObject()
        object.append("error", .object(error))
        object.append("headers", .object(headers))
        object.append("body", body)
        return .object(object)
    }

    /// For people, one line a fact.
    package var text: String {
        let facts = (letter.json.object?.members ?? []) + error.members.filter { letter.json[$0.name] == nil }
        let sections = [("", facts), ("headers", headers.members), ("body", [])]
        var lines: [String] = []
        for (title, members) in sections {
            let indent = title.isEmpty ? "" : "  "
            if !title.isEmpty { lines.append(title) }
            let width = members.map(\.name.count).max() ?? 0
            for member in members {
                let blanks = String(repeating: " ", count: width - member.name.count)
                lines.append("\(indent)\(Printable.text(member.name))\(blanks)  \(Self.plain(member.value))")
            }
        }
        return (lines + ["  \(Self.plain(body))"]).joined(separator: "\n")
    }

    private static func plain(_ value: JSONValue) -> String {
        switch value {
        case .null: "-"
        case .string(let text): Printable.text(text)
        default: Printable.text(value.text)
        }
    }

    /// As in the event; what follows from the category is not kept with the letter.
    private static func error(_ headers: AMQPTable) -> JSONObject {
        var error = JSONObject()
        func text(_ name: String) -> JSONValue { JSONValue(headers[name]?.string) }
        error.append("category", text(DeadLetter.Header.category))
        error.append("message", text(DeadLetter.Header.message))
        if let category = headers[DeadLetter.Header.category]?.string.flatMap({ ErrorCategory(rawValue: $0) }) {
            error.append("retryable", .bool(category.isRetryable))
            error.append("remedy", .string(category.remedy))
            error.append("fixableBy", .string(category.fixableBy.rawValue))
        }
        error.append("source", text(DeadLetter.Header.source))
        error.append("status", JSONValue(headers[DeadLetter.Header.status]?.int.flatMap { Int(exactly: $0) }))
        error.append("code", text(DeadLetter.Header.code))
        error.append("description", text(DeadLetter.Header.description))
        return error
    }
}
