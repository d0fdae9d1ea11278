/// A request. Its description leaves out headers, query and body, which may hold secrets.
package struct HTTPRequest: Sendable, CustomStringConvertible {
    package enum Method: String, Sendable, Hashable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    package var method: Method
    /// Absolute, already percent-encoded.
    package var url: String
    package var headers: [HTTPHeader]
    package var body: [UInt8]?
    /// For everything, name resolution to last byte.
    package var timeout: Duration
    /// Asked when the connection stands and the request is about to be written, on the client's thread: false keeps
    /// it from being sent. Called at most once.
    package var onSend: (@Sendable () -> Bool)?
    /// Told on the client's thread when the request has been handed to the network, after an `onSend` that was true.
    /// A request that breaks on the way there may end without it.
    package var onSent: (@Sendable () -> Void)?

    package init(
        _ method: Method,
        _ url: String,
        headers: [HTTPHeader] = [],
        body: [UInt8]? = nil,
        timeout: Duration = .seconds(30),
        onSend: (@Sendable () -> Bool)? = nil,
        onSent: (@Sendable () -> Void)? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.onSend = onSend
        self.onSent = onSent
    }

    package var description: String { "\(method.rawValue) \(url.prefix { $0 != "?" })" }
}

/// A header field. The value may be a secret and is not part of the description.
package struct HTTPHeader: Sendable, Hashable, CustomStringConvertible {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package var description: String { name }
}
