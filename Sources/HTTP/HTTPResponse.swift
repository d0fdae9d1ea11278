/// A complete answer of whatever status.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let body: [UInt8]
    private let headers: HeaderFields

    init(status: Int, headers: HeaderFields, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer that did not come over the network.
    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        var fields = HeaderFields()
        for header in headers { fields.append(line: "\(header.name):\(header.value)".utf8) }
        self.init(status: status, headers: fields, body: body)
    }

    /// The first field of that name, whatever its case.
    package subscript(header name: String) -> String? { headers[name] }
}
