import JSON

/// What all events have in common: CloudEvents 1.0 in structured form (cloudevents.io).
package enum CloudEvent {
    package static let contentType = "application/cloudevents+json"

    static func envelope(
        id: GUID,
        type: String,
        subject: GUID?,
        time: Timestamp,
        traceparent: String?,
        tracestate: String?,
        data: JSONValue
    ) -> JSONValue {
        var event = JSONObject()
        event.append("specversion", "1.0")
        event.append("id", .string(id.description))
        event.append("source", "/consent-worker")
        event.append("type", .string(type))
        if let subject { event.append("subject", .string(subject.description)) }
        event.append("time", .string(time.description))
        event.append("datacontenttype", "application/json")
        if let traceparent { event.append("traceparent", .string(traceparent)) }
        if let tracestate { event.append("tracestate", .string(tracestate)) }
        event.append("data", data)
        return .object(event)
    }
}
