import HTTP

extension HTTPResponse {
    /// Reads `STATUS`, header lines, an empty line, a body: an answer in a form that can be mutated.
    init(text bytes: [UInt8]) {
        var rest = bytes[...]
        func line() -> String {
            let end = rest.firstIndex(of: 0x0A) ?? rest.endIndex
            defer { rest = rest[min(rest.endIndex, end + 1)...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        // Whatever else it says, libcurl gives three digits.
        let status = Int(line()).flatMap { (100...999).contains($0) ? $0 : nil } ?? 200
        var headers: [HTTPHeader] = []
        while case let text = line(), !text.isEmpty {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { headers.append(HTTPHeader(String(parts[0]), String(parts[1].drop { $0 == " " }))) }
        }
        self.init(status: status, headers: headers, body: Array(rest))
    }
}
