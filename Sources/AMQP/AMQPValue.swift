/// Headers and arguments.
package typealias AMQPTable = [String: AMQPValue]

/// A field of an AMQP 0-9-1 table, in the types RabbitMQ sends and accepts.
package indirect enum AMQPValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(UInt64)
    case array([AMQPValue])
    case table(AMQPTable)

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var int: Int64? {
        if case .int(let value) = self { value } else { nil }
    }
}

extension AMQPTable {
    /// About what the table takes on the wire.
    package var approximateBytes: Int {
        reduce(0) { $0 + $1.key.utf8.count + $1.value.approximateBytes }
    }
}

extension AMQPValue {
    fileprivate var approximateBytes: Int {
        switch self {
        case .string(let text): text.utf8.count + 5
        case .bytes(let bytes): bytes.count + 5
        case .array(let values): values.reduce(5) { $0 + $1.approximateBytes }
        case .table(let table): table.approximateBytes + 5
        default: 9
        }
    }
}

extension AMQPValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
