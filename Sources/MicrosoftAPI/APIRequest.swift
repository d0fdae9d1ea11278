package import ConsentContract
package import HTTP
package import JSON
package import Secrets

/// A request to one of the APIs before it has a token: what a dry run shows and a real run sends.
package struct APIRequest: Sendable, Hashable {
    package let api: API
    package let method: HTTPRequest.Method
    package let url: String
    package let headers: [HTTPHeader]
    package let body: JSONValue?
    /// At whose tenant the token is redeemed.
    package let tenantID: GUID
    /// Whose child the request is.
    package var trace: TraceContext?

    private var allHeaders: [HTTPHeader] {
        guard let trace else { return headers }
        let traceparent = HTTPHeader("traceparent", trace.traceparent)
        return headers + [traceparent] + (trace.tracestate.map { [HTTPHeader("tracestate", $0)] } ?? [])
    }

    /// What Microsoft knows the request by.
    package var requestID: String? {
        headers.first { $0.name == "ms-requestid" || $0.name == "client-request-id" }?.value
    }

    /// How a dry run's event shows it.
    package var json: JSONValue {
        [
            "method": .string(method.rawValue),
            "url": .string(url),
            "headers": .object(
                JSONObject(members: allHeaders.map { JSONObject.Member(name: $0.name, value: .string($0.value)) })
            ),
            "body": body ?? .null,
        ]
    }

    /// The request as it is sent.
    package func http(
        token: Secret,
        timeout: Duration,
        onSend: @escaping @Sendable () -> Bool,
        onSent: @escaping @Sendable () -> Void
    ) -> HTTPRequest {
        HTTPRequest(
            method,
            url,
            headers: allHeaders + [HTTPHeader("Authorization", "Bearer " + token.reveal())],
            body: body?.bytes,
            timeout: timeout,
            onSend: onSend,
            onSent: onSent
        )
    }
}

/// What ties the requests of one command together at Microsoft.
package struct RequestIdentity: Sendable, Hashable {
    /// Microsoft's idempotency key: the same through timeouts, resets, 5xx, redeliveries and pods.
    package let requestID: GUID
    package let correlationID: GUID
    package let trace: TraceContext?

    package init(requestID: GUID, correlationID: GUID, trace: TraceContext?) {
        self.requestID = requestID
        self.correlationID = correlationID
        self.trace = trace
    }
}
