import AMQP
import ConsentContract
import JSON

@testable import ConsentWorker

/// Dead letters as the worker writes them.
enum LetterFixtures {
    static let application = GUID(constant: "11111111-1111-4111-8111-111111111111")
    static let partner = GUID(constant: "22222222-2222-4222-8222-222222222222")
    static let customer = GUID(constant: "33333333-3333-4333-8333-333333333333")
    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    static func command(_ id: GUID, requestedBy: String = "somebody") -> [UInt8] {
        let json: JSONValue = [
            "command": "revoke", "commandId": .string(id.description), "partnerTenantId": .string(partner.description),
            "customerId": .string(customer.description), "applicationId": .string(application.description),
            "requestedBy": .string(requestedBy),
        ]
        return json.bytes
    }

    static func properties(
        _ category: ErrorCategory = .apiUnavailable,
        generation: Int? = nil,
        age: Duration = .zero,
        headers: AMQPTable = [:]
    ) -> AMQPProperties {
        var properties = AMQPProperties()
        properties.correlationID = "order-4711"
        properties.contentType = "application/json"
        properties.messageID = "message-1"
        properties.headers = headers.merging(
            ["consent-category": .string(category.rawValue), "consent-time": .string((now - age).description)]
        ) { own, _ in own }
        if let generation { properties.headers["consent-generation"] = .int(Int64(generation)) }
        return properties
    }

    static func letter(
        _ id: GUID = .random(),
        _ category: ErrorCategory = .apiUnavailable,
        generation: Int? = nil,
        age: Duration = .zero,
        requestedBy: String = "somebody"
    ) -> KeptLetter {
        KeptLetter(
            properties: properties(category, generation: generation, age: age),
            body: .complete(command(id, requestedBy: requestedBy))
        )
    }

    /// A letter without anything that could be read.
    static var unreadable: KeptLetter {
        KeptLetter(properties: properties(.malformedMessage), body: .complete(Array("{".utf8)))
    }
}

extension Timestamp {
    fileprivate static func - (time: Timestamp, age: Duration) -> Timestamp { time + (.zero - age) }
}
