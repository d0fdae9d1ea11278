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
    package var body: [UInt8] {
        CloudEvent.body(
            id: id,
            type: "consent.\(commandName).\(outcome.rawValue)",
            subject: about.customerID,
            time: time,
            traceparent: traceparent,
            tracestate: tracestate
        ) { data in
            data.member("contract", "1")
            data.member("commandId", about.commandID?.description)
            data.member("correlationId", correlationID)
            data.member("command", about.kind?.rawValue)
            data.member("outcome", outcome.rawValue)
            data.member("effect", effect.rawValue)
            data.member("partnerTenantId", about.partnerTenantID?.description)
            data.member("customerId", about.customerID?.description)
            data.member("applicationId", about.applicationID?.description)
            data.member("requestedBy", about.requestedBy)
            data.member("attempts", attempts)
            data.member("deliveries", deliveries)
            data.member("timings") { timings.write(into: &$0) }
            if let api { data.member("api") { api.write(into: &$0) } } else { data.member("api", .null) }
            data.member("error", error?.json)
            data.member("result", result)
        }
    }
}

extension ResultEvent.Timings {
    fileprivate func write(into timings: inout JSONWriter) {
        timings.member("queuedMs", queued)
        timings.member("limiterMs", limiter)
        timings.member("apiMs", api)
        timings.member("retryWaitMs", retryWait)
        timings.member("totalMs", total)
    }
}

extension ResultEvent.APITrace {
    fileprivate func write(into api: inout JSONWriter) {
        api.member("status", status)
        api.member("requestId", requestID)
        api.member("correlationId", correlationID)
        api.member("serverId", serverID)
    }
}
