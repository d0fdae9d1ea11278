import JSON
package import Tracing

/// Spans as OTLP's `ExportTraceServiceRequest` in JSON: IDs in hexadecimal, 64-bit numbers as texts, defaults left out.
package struct ExportRequest {
    let resource: SpanAttributes
    let scope: (name: String, version: String)
    let spans: [FinishedSpan]

    package init(resource: SpanAttributes, scope: (name: String, version: String), spans: [FinishedSpan]) {
        self.resource = resource
        self.scope = scope
        self.spans = spans
    }

    package var bytes: [UInt8] { json.bytes }

    private var json: JSONValue {
        let scope: JSONValue = ["name": .string(scope.name), "version": .string(scope.version)]
        let scopeSpans: JSONValue = ["scope": scope, "spans": .array(spans.map(Self.span))]
        let resource: JSONValue = ["attributes": Self.attributes(resource)]
        return ["resourceSpans": [["resource": resource, "scopeSpans": [scopeSpans]]]]
    }

    private static func span(_ span: FinishedSpan) -> JSONValue {
        var json = JSONObject()
        append(span.context, to: &json)
        if let parent = span.parent { json.append("parentSpanId", .string(parent.spanID.digits)) }
        json.append("flags", JSONValue(flags(span.context, isRemote: span.parent?.isRemote ?? false)))
        json.append("name", .string(span.name))
        json.append("kind", JSONValue(number(of: span.kind)))
        json.append("startTimeUnixNano", .string(String(span.start)))
        json.append("endTimeUnixNano", .string(String(span.end)))
        if !span.attributes.isEmpty { json.append("attributes", attributes(span.attributes)) }
        if !span.events.isEmpty { json.append("events", .array(span.events.map(event))) }
        if !span.links.isEmpty { json.append("links", .array(span.links.map(link))) }
        if let status = span.status { json.append("status", self.status(status)) }
        return .object(json)
    }

    private static func append(_ context: SpanContext, to json: inout JSONObject) {
        json.append("traceId", .string(context.traceID.text))
        json.append("spanId", .string(context.spanID.digits))
        if let tracestate = context.tracestate { json.append("traceState", .string(tracestate)) }
    }

    /// Above the flags of Trace Context stands whether the other span, parent or linked one, is of another process,
    /// and that this is known.
    private static func flags(_ context: SpanContext, isRemote: Bool) -> Int {
        Int(context.flags) | 0x100 | (isRemote ? 0x200 : 0)
    }

    private static func link(_ context: SpanContext) -> JSONValue {
        var json = JSONObject()
        append(context, to: &json)
        json.append("flags", JSONValue(flags(context, isRemote: context.isRemote)))
        return .object(json)
    }

    private static func event(_ event: SpanEvent) -> JSONValue {
        var json = JSONObject()
        json.append("timeUnixNano", .string(String(event.nanosecondsSinceEpoch)))
        json.append("name", .string(event.name))
        if !event.attributes.isEmpty { json.append("attributes", attributes(event.attributes)) }
        return .object(json)
    }

    private static func status(_ status: SpanStatus) -> JSONValue {
        var json = JSONObject()
        if let message = status.message { json.append("message", .string(message)) }
        json.append("code", status.code == .ok ? 1 : 2)
        return .object(json)
    }

    private static func number(of kind: SpanKind) -> Int {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    // MARK: - Attributes

    private static func attributes(_ attributes: SpanAttributes) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = []
        attributes.forEach { name, attribute in
            if let value = value(attribute) { members.append((name, value)) }
        }
        return .array(members.sorted { $0.name < $1.name }.map { ["key": .string($0.name), "value": $0.value] })
    }

    private static func value(_ attribute: SpanAttribute) -> JSONValue? {
        switch attribute {
        case .string(let value): string(value)
        case .stringConvertible(let value): string("\(value)")
        case .bool(let value): ["boolValue": .bool(value)]
        case .int32(let value): int(value)
        case .int64(let value): int(value)
        case .double(let value): double(value)
        case .stringArray(let values): array(values.map(string))
        case .stringConvertibleArray(let values): array(values.map { string("\($0)") })
        case .boolArray(let values): array(values.map { ["boolValue": .bool($0)] })
        case .int32Array(let values): array(values.map(int))
        case .int64Array(let values): array(values.map(int))
        case .doubleArray(let values): array(values.map(double))
        default: nil
        }
    }

    private static func string(_ value: String) -> JSONValue { ["stringValue": .string(value)] }

    private static func int(_ value: some FixedWidthInteger) -> JSONValue { ["intValue": .string(String(value))] }

    private static func double(_ value: Double) -> JSONValue {
        // JSON has no number for the others.
        guard value.isFinite else {
            return ["doubleValue": .string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")]
        }
        return ["doubleValue": .number(JSONNumber(text: "\(value)"))]
    }

    private static func array(_ values: [JSONValue]) -> JSONValue { ["arrayValue": ["values": .array(values)]] }
}
