import JSON

/// What all events have in common: CloudEvents 1.0 in structured form (cloudevents.io).
package enum CloudEvent {
    package static let contentType = "application/cloudevents+json"

    /// - Parameter data: writes the members of the event's data.
    static func body(
        id: GUID,
        type: String,
        subject: GUID?,
        time: Timestamp,
        traceparent: String?,
        tracestate: String?,
        data: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        JSONWriter.bytes { writer in
            writer.object { event in
                event.member("specversion", "1.0")
                event.member("id", id.description)
                event.member("source", "/consent-worker")
                event.member("type", type)
                if let subject { event.member("subject", subject.description) }
                event.member("time", time.description)
                event.member("datacontenttype", "application/json")
                if let traceparent { event.member("traceparent", traceparent) }
                if let tracestate { event.member("tracestate", tracestate) }
                event.member("data", data)
            }
        }
    }
}
