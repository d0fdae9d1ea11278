/// How event, page and request IDs follow from a command's ID: the same on every pod and after every redelivery.
package enum Identifiers {
    /// The project's UUIDv5 namespace, itself derived from `urn:consent-worker`. Part of the contract.
    package static let namespace = GUID(constant: "853b5deb-908a-543e-8a6b-f0654dff22ff")

    package static func event(command: GUID, generation: Int) -> GUID {
        namespace.derived(from: "\(command)/\(generation)".utf8)
    }

    /// A page of a query's answer. A later delivery may read other items, so its pages are others.
    package static func page(command: GUID, generation: Int, deliveries: Int, number: Int) -> GUID {
        namespace.derived(from: "\(command)/\(generation)/\(deliveries)/page/\(number)".utf8)
    }

    /// The event about a command without a readable ID.
    package static func event(body: [UInt8], correlationID: String?) -> GUID {
        namespace.derived(from: body + Array("/\(correlationID ?? "")".utf8))
    }

    /// - Parameters:
    ///   - step: which request of the command, for example `grant` or `list`.
    ///   - number: rises after a definitive answer that is retried (401, 429), stays through unknown outcomes.
    package static func request(command: GUID, generation: Int, step: String, number: Int) -> GUID {
        namespace.derived(from: "\(command)/\(generation)/\(step)/\(number)".utf8)
    }

    /// The `ms-correlationid` of a command: its correlation ID if that is a GUID, else one derived from it.
    package static func correlation(_ correlationID: String) -> GUID {
        GUID(correlationID) ?? namespace.derived(from: correlationID.utf8)
    }
}
