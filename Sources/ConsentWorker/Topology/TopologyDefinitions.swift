import AMQP
package import JSON

extension Topology {
    /// The topology in the form of RabbitMQ's definitions files, for operators who import it.
    package func definitions(virtualHost: String) -> JSONValue {
        [
            "exchanges": .array(
                exchanges.map { exchange in
                    [
                        "name": .string(exchange.name), "vhost": .string(virtualHost), "type": .string(exchange.type),
                        "durable": true, "auto_delete": false, "internal": false,
                        "arguments": Self.json(exchange.arguments),
                    ]
                }
            ),
            "queues": .array(
                queues.map { queue in
                    [
                        "name": .string(queue.name), "vhost": .string(virtualHost), "durable": true,
                        "auto_delete": false, "arguments": Self.json(queue.arguments),
                    ]
                }
            ),
            "bindings": .array(
                bindings.map { binding in
                    [
                        "source": .string(binding.exchange), "vhost": .string(virtualHost),
                        "destination": .string(binding.queue), "destination_type": "queue",
                        "routing_key": .string(binding.routingKey), "arguments": [:],
                    ]
                }
            ),
            "policies": [
                Self.shield(
                    "consent",
                    "^consent\\.(?!(control|permits|status)\\.)",
                    ["delivery-limit": 2_147_483_647],
                    virtualHost
                ),
                // Classic queues, which know no delivery limit.
                Self.shield(
                    "consent-transient",
                    "^consent\\.(control|permits|status)\\.",
                    ["max-length": 1_000_000],
                    virtualHost
                ),
            ],
        ]
    }

    /// A policy that changes nothing. Of those that match a queue the broker takes only the one of the highest priority,
    /// so this keeps off what an operator means for all queues: a TTL or a length would drop commands.
    private static func shield(
        _ name: String,
        _ pattern: String,
        _ definition: JSONValue,
        _ virtualHost: String
    ) -> JSONValue {
        [
            "name": .string(name), "vhost": .string(virtualHost), "pattern": .string(pattern),
            "apply-to": "queues", "priority": 1000, "definition": definition,
        ]
    }

    private static func json(_ table: AMQPTable) -> JSONValue {
        .object(
            JSONObject(
                members: table.sorted { $0.key < $1.key }.compactMap { name, value in
                    switch value {
                    case .string(let text): .init(name: name, value: .string(text))
                    case .int(let number): .init(name: name, value: .number(JSONNumber(Int(number))))
                    case .bool(let flag): .init(name: name, value: .bool(flag))
                    default: nil
                    }
                }
            )
        )
    }
}
