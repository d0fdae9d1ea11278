import AMQP
import ConsentContract
import JSON
import Resilience

@testable import ConsentWorker

extension FuzzInput {
    /// A message in a queue of commands, with all that the broker hands over along with its body.
    static let delivery = FuzzInput(
        "delivery",
        JSONMutation(
            names: Examples.commandNames + [
                "exchange", "routingKey", "redelivered", "correlationId", "replyTo", "timestamp", "headers", "body",
                "traceparent", "tracestate", "x-delivery-count", "x-death", "consent-generation", "consent-category",
                "consent-time", "consent-attempts", "consent-status", "consent-body-bytes", "consent-command-id",
            ],
            values: Examples.commandValues + [
                "consent.commands", "consent.commands.\(application)", "consent.dead-letters",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "congo=t61rcWkgMzE",
                String(repeating: "h", count: 70_000),
            ]
        ),
        examples: { examples },
        check: check(delivery:)
    )

    private static let application = GUID(constant: "11111111-1111-4111-8111-111111111111")

    /// Some commands in their envelope, one of them through the default exchange, and one that was kept.
    private static var examples: [[UInt8]] {
        let envelope: JSONValue = [
            "exchange": "consent.commands", "redelivered": true, "correlationId": "order-1", "replyTo": "answers",
            "timestamp": 1_800_000_000,
            "headers": [
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b",
                "x-delivery-count": 2, "x-death": [["count": 1, "queue": "q"]], "consent-generation": 1,
            ],
        ]
        let kept: JSONValue = [
            "consent-category": "apiUnavailable", "consent-time": "2026-12-01T10:00:00.000Z", "consent-attempts": 3,
            "consent-status": 503, "consent-generation": 9, "consent-command": "grant",
            "consent-command-id": .string(application.description), "password": "p",
        ]
        return Examples.messages(["grant", "revoke", "query"]).prefix(40).enumerated().compactMap { index, bytes in
            guard let body = try? JSONParser.parse(bytes), var object = envelope.object else { return nil }
            let key = "\(body["applicationId"]?.string ?? "").\(body["customerId"]?.string ?? "")".lowercased()
            object.append("routingKey", .string(key))
            object.append("body", body)
            if index % 4 == 1 { object = object.replacing("exchange", "").replacing("routingKey", direct) }
            if index % 4 == 2 { object = object.replacing("headers", kept) }
            return JSONValue.object(object).bytes
        }
    }

    private static var direct: JSONValue { .string(Topology.Name.commandQueue(application)) }

    private static func check(delivery bytes: [UInt8]) throws {
        guard let json = try? JSONParser.parse(bytes) else { return }
        let delivery = Deliveries.delivery(json)
        let message = ReceivedMessage(
            delivery: delivery,
            receivedAt: .now,
            receivedTime: Timestamp(milliseconds: 1_800_000_000_000),
            session: Session(lease: nil),
            tracer: nil,
            clock: SystemClock()
        )
        try require(message.generation >= 0 && message.deliveries >= 1, "a message has come at least once")
        let command = try? CommandAdmission.admit(delivery, to: application)
        if let command, delivery.exchange.isEmpty, delivery.routingKey == Topology.Name.commandQueue(application) {
            try require(command.applicationID == application, "a queue has its own application's commands only")
        } else if let command {
            let key = "\(command.applicationID).\(command.customerID)"
            try require(delivery.routingKey == key, "a command came by its own key, not by \(delivery.routingKey)")
        }
        if let queued = message.queued(issuedAt: command?.issuedAt) {
            try require(queued >= .zero && queued.milliseconds >= 0, "nothing waits for less than no time")
        }
        if let address = CommandAdmission.replyAddress(of: delivery) {
            try require(!address.utf8.starts(with: "consent.".utf8), "no answer goes to a queue of the worker's")
        }
        let refusal = CommandAdmission.refusal(of: delivery, configured: [application])
        try require(refusal.category.outcome == .rejected && !refusal.faults.isEmpty, "a refusal names a fault")
        try check(DeadLetter(received: message, error: CommandError(refusal), attempts: 1, time: message.receivedTime))
        // What others put among the dead letters.
        try check(LetterDetails(properties: delivery.properties, body: delivery.body))
        if let replay = try? ReplayMessage.make(delivery.properties, delivery.body) {
            try require(replay.properties.headers["consent-category"] == nil, "a replay is a new command")
        }
    }

    private static func check(_ letter: DeadLetter) throws {
        let message = letter.message
        // The frame that headers travel in has 128 KiB; ours come on top of the publisher's.
        let size = message.properties.headers.approximateBytes
        try require(size < 100 << 10, "headers of \(size) bytes fit into a frame")
        try require(!message.properties.headers.keys.contains { $0.hasPrefix("x-") }, "the broker's headers are gone")
        let kept = KeptLetter(properties: message.properties, body: .complete(message.body))
        try require(kept.category == letter.error.category.rawValue, "a letter is kept under its category")
        try require(kept.time == letter.time && kept.attempts == 1, "a letter tells when it ended")
        try check(LetterDetails(properties: message.properties, body: .complete(message.body)))
    }

    private static func check(_ details: LetterDetails) throws {
        try require((try? JSONParser.parse(details.json.bytes)) != nil, "what is shown as JSON is JSON")
        let hasControl = details.text.unicodeScalars.contains {
            $0.properties.generalCategory == .control && $0 != "\n"
        }
        try require(!hasControl, "what is shown to people is printable")
    }
}

extension JSONObject {
    fileprivate func replacing(_ name: String, _ value: JSONValue) -> JSONObject {
        JSONObject(members: members.map { .init(name: $0.name, value: $0.name == name ? value : $0.value) })
    }
}
