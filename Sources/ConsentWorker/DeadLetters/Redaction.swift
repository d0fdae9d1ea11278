import AMQP
import JSON

/// Keeps to itself what by its name is a secret: a publisher may have put more into a message than the contract has.
enum Redaction {
    static let hidden = "(hidden)"

    private static let words = [
        "authorization", "token", "secret", "password", "passwd", "credential", "cookie", "apikey", "privatekey",
        "assertion",
    ]

    static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased().filter { $0 != "-" && $0 != "_" }
        return words.contains { name.contains($0) }
    }

    static func value(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            .object(
                JSONObject(
                    members: object.members.map {
                        .init(name: $0.name, value: isSecret($0.name) ? .string(hidden) : Self.value($0.value))
                    }
                )
            )
        case .array(let elements): .array(elements.map(Self.value))
        default: value
        }
    }

    /// Headers by name.
    static func members(_ table: AMQPTable) -> JSONObject {
        guard case .object(let object) = value(json(.table(table))) else { return JSONObject() }
        return object
    }

    private static func json(_ value: AMQPValue) -> JSONValue {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .number(JSONNumber(text: "\(value)"))
        case .double(let value): value.isFinite ? .number(JSONNumber(text: "\(value)")) : .string("\(value)")
        case .string(let value): .string(value)
        case .bytes(let value): .string(String(decoding: value, as: UTF8.self))
        case .timestamp(let seconds): .number(JSONNumber(text: "\(seconds)"))
        case .array(let values): .array(values.map(json))
        case .table(let table):
            .object(
                JSONObject(members: table.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: json($0.value)) })
            )
        }
    }
}
