/// A complete answer of whatever status.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let headers: [HTTPHeader]
    package let body: [UInt8]

    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first field of that name, whatever its case.
    package subscript(header name: String) -> String? {
        headers.first { header in
            // Most differ in length already.
            header.name.utf8.count == name.utf8.count
                && header.name.utf8.elementsEqual(name.utf8, by: { $0 | 0x20 == $1 | 0x20 })
        }?.value
    }
}
