package import JSON

/// A part of an answer that is too large for one event. Described by `schemas/event.query-page.schema.json`.
package struct QueryPageEvent: Sendable, Hashable {
    package let id: GUID
    package let time: Timestamp
    package let command: Command
    package let correlationID: String
    package let deliveries: Int
    /// From 1.
    package let page: Int
    package let isFinal: Bool
    package let items: [JSONValue]
    package let traceparent: String?
    package let tracestate: String?

    package init(
        id: GUID,
        time: Timestamp,
        command: Command,
        correlationID: String,
        deliveries: Int,
        page: Int,
        isFinal: Bool,
        items: [JSONValue],
        traceparent: String?,
        tracestate: String?
    ) {
        self.id = id
        self.time = time
        self.command = command
        self.correlationID = correlationID
        self.deliveries = deliveries
        self.page = page
        self.isFinal = isFinal
        self.items = items
        self.traceparent = traceparent
        self.tracestate = tracestate
    }

    package var routingKey: String { "query.page.\(command.applicationID)" }

    /// The CloudEvent in structured form.
    package var body: [UInt8] {
        CloudEvent.body(
            id: id,
            type: "consent.query.page",
            subject: command.customerID,
            time: time,
            traceparent: traceparent,
            tracestate: tracestate
        ) { data in
            data.member("contract", "1")
            data.member("commandId", command.commandID.description)
            data.member("correlationId", correlationID)
            data.member("command", "query")
            data.member("partnerTenantId", command.partnerTenantID.description)
            data.member("customerId", command.customerID.description)
            data.member("applicationId", command.applicationID.description)
            data.member("requestedBy", command.requestedBy)
            data.member("deliveries", deliveries)
            data.member("page", page)
            data.member("final", isFinal)
            data.member("items", .array(items))
        }
    }
}
