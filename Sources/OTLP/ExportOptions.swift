package import HTTP
package import Resilience
package import Tracing

/// Where spans go, and how much is done to get them there.
package struct ExportOptions: Sendable {
    /// The address itself, mostly `…/v1/traces`.
    package var endpoint: String
    /// For example one that holds a key.
    package var headers: [HTTPHeader]
    /// What all spans have in common: which service sent them.
    package var resource: SpanAttributes
    package var scope: (name: String, version: String)
    /// How long the first span of a batch waits for others.
    package var patience: Duration = .seconds(1)
    package var timeout: Duration = .seconds(10)
    /// Of one batch, the first included.
    package var attempts = 4
    package var backoff = Backoff(base: .seconds(1), cap: .seconds(5))
    /// For what is left at the end.
    package var flushLimit: Duration = .seconds(3)

    package init(
        endpoint: String,
        headers: [HTTPHeader] = [],
        resource: SpanAttributes,
        scope: (name: String, version: String)
    ) {
        self.endpoint = endpoint
        self.headers = headers
        self.resource = resource
        self.scope = scope
    }
}
