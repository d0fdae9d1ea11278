package import JSON

/// The one event that ends a command. Described by `schemas/event.result.schema.json`.
package struct ResultEvent: Sendable, Hashable {
    /// Where the time went, in milliseconds.
    package struct Timings: Sendable, Hashable {
        /// From the publisher's `issuedAt` (or the AMQP timestamp) to the delivery; nil where neither is known.
        package var queued: Int?
        package var limiter = 0
        package var api = 0
        package var retryWait = 0
        /// From the publication, or the delivery where that is not known, to the event.
        package var total = 0

        package init() {}
    }

    /// Microsoft's own identifiers of the last answer.
    package struct APITrace: Sendable, Hashable {
        package let status: Int
        package let requestID: String?
        package let correlationID: String?
        package let serverID: String?

        package init(status: Int, requestID: String?, correlationID: String?, serverID: String?) {
            self.status = status
            self.requestID = requestID
            self.correlationID = correlationID
            self.serverID = serverID
        }
    }

    package let id: GUID
    package let time: Timestamp
    package let outcome: Outcome
    package let effect: Effect
    package let about: Rejection.Readable
    package let correlationID: String?
    package let attempts: Int
    package let deliveries: Int
    package let timings: Timings
    package let api: APITrace?
    package let error: CommandError?
    package let result: JSONValue?
    package let traceparent: String?
    package let tracestate: String?

    package init(
        id: GUID,
        time: Timestamp,
        outcome: Outcome,
        effect: Effect,
        about: Rejection.Readable,
        correlationID: String?,
        attempts: Int,
        deliveries: Int,
        timings: Timings,
        api: APITrace?,
        error: CommandError?,
        result: JSONValue?,
        traceparent: String?,
        tracestate: String?
    ) {
        self.id = id
        self.time = time
        self.outcome = outcome
        self.effect = effect
        self.about = about
        self.correlationID = correlationID
        self.attempts = attempts
        self.deliveries = deliveries
        self.timings = timings
        self.api = api
        self.error = error
        self.result = result
        self.traceparent = traceparent
        self.tracestate = tracestate
    }

    private var commandName: String { about.kind?.rawValue ?? "unknown" }

    package var routingKey: String {
        "\(commandName).\(outcome.rawValue).\(about.applicationID?.description ?? "unknown")"
    }

    /// The CloudEvent in structured form.
    package var json: JSONValue {
        CloudEvent.envelope(
            id: id,
            type: "consent.\(commandName).\(outcome.rawValue)",
            subject: about.customerID,
            time: time,
            traceparent: traceparent,
            tracestate: tracestate,
            data: data
        )
    }

    private var data: JSONValue {
        [
            "contract": "1",
            "commandId": JSONValue(about.commandID?.description),
            "correlationId": JSONValue(correlationID),
            "command": JSONValue(about.kind?.rawValue),
            "outcome": .string(outcome.rawValue),
            "effect": .string(effect.rawValue),
            "partnerTenantId": JSONValue(about.partnerTenantID?.description),
            "customerId": JSONValue(about.customerID?.description),
            "applicationId": JSONValue(about.applicationID?.description),
            "requestedBy": JSONValue(about.requestedBy),
            "attempts": JSONValue(attempts),
            "deliveries": JSONValue(deliveries),
            "timings": [
                "queuedMs": JSONValue(timings.queued),
                "limiterMs": JSONValue(timings.limiter),
                "apiMs": JSONValue(timings.api),
                "retryWaitMs": JSONValue(timings.retryWait),
                "totalMs": JSONValue(timings.total),
            ],
            "api": api.map(Self.json) ?? .null,
            "error": error?.json ?? .null,
            "result": result ?? .null,
        ]
    }

    private static func json(_ api: APITrace) -> JSONValue {
        [
            "status": JSONValue(api.status),
            "requestId": JSONValue(api.requestID),
            "correlationId": JSONValue(api.correlationID),
            "serverId": JSONValue(api.serverID),
        ]
    }
}
