import EventLoop
import JSON
import Logging

@testable import AMQP

/// Messages as the broker would have delivered them, from JSON that can be mutated: `exchange`, `routingKey`,
/// `redelivered`, `correlationId`, `replyTo`, `timestamp`, `headers` and `body` (a text is taken as it is).
enum Deliveries {
    private static let loop = EventLoop(name: "fuzzing")
    /// Never opened: nothing is sent on it.
    private static let connection = AMQPConnection(loop: loop, options: AMQPOptions(), logger: Logger(label: "fuzzing"))

    static func delivery(_ json: JSONValue) -> AMQPDelivery {
        var properties = AMQPProperties()
        properties.correlationID = json["correlationId"]?.string
        properties.replyTo = json["replyTo"]?.string
        properties.timestamp = json["timestamp"]?.int.map { UInt64(bitPattern: Int64($0)) }
        properties.headers =
            json["headers"].flatMap { if case .table(let table) = value($0) { table } else { nil } } ?? [:]
        return delivery(
            body(json["body"]),
            exchange: json["exchange"]?.string ?? "",
            routingKey: json["routingKey"]?.string ?? "",
            redelivered: json["redelivered"]?.bool ?? false,
            properties: properties
        )
    }

    static func delivery(
        _ body: AMQPDelivery.Body,
        exchange: String = "",
        routingKey: String = "",
        redelivered: Bool = false,
        properties: AMQPProperties = AMQPProperties()
    ) -> AMQPDelivery {
        AMQPDelivery(
            channel: AMQPChannel(connection: connection, number: 1, id: 1),
            tag: 1,
            redelivered: redelivered,
            exchange: exchange,
            routingKey: routingKey,
            properties: properties,
            body: body
        )
    }

    private static func body(_ json: JSONValue?) -> AMQPDelivery.Body {
        switch json {
        case .string(let text): .complete(Array(text.utf8))
        // In place of a body: how large one was.
        case .number(let number): .tooLarge(bytes: UInt64(number.text) ?? .max)
        default: .complete(json?.bytes ?? [])
        }
    }

    private static func value(_ json: JSONValue) -> AMQPValue {
        switch json {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let number): number.int.map { .int(Int64($0)) } ?? .double(Double(number.text) ?? .nan)
        case .string(let text): text.hasPrefix("b:") ? .bytes(Array(text.utf8)) : .string(text)
        case .array(let elements): .array(elements.map(value))
        case .object(let object):
            .table(AMQPTable(object.members.map { ($0.name, value($0.value)) }) { _, later in later })
        }
    }
}
