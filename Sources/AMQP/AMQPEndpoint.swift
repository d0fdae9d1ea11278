package import Secrets

/// Where a broker is and who we are there, from an `amqp://` or `amqps://` address.
package struct AMQPEndpoint: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package var host: String
    package var port: Int
    package var virtualHost: String
    package var user: String
    package var password: Secret
    /// Whether the address names a user. Without one, a client certificate speaks for us where there is one.
    package var namesUser: Bool
    package var usesTLS: Bool

    /// Reads `amqp[s]://user:password@host:port/vhost`; what is left out takes RabbitMQ's defaults.
    /// - Throws: ``AMQPError`` with `invalidConfiguration`; the message never repeats the address.
    package init(uri: String) throws(AMQPError) {
        func invalid(_ reason: String) -> AMQPError {
            AMQPError(.invalidConfiguration, "\(reason); expected amqp://user:password@host:port/vhost")
        }
        let rest: Substring
        if uri.hasPrefix("amqp://") {
            usesTLS = false
            rest = uri.dropFirst(7)
        } else if uri.hasPrefix("amqps://") {
            usesTLS = true
            rest = uri.dropFirst(8)
        } else {
            throw invalid("the address does not begin with amqp:// or amqps://")
        }
        guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw invalid("the address has a query, which is not supported")
        }
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.count == 2 ? Self.decoded(parts[1]) : "/" else {
            throw invalid("the virtual host is badly percent-encoded")
        }
        virtualHost = path.isEmpty ? "/" : path
        var authority = parts[0]
        user = "guest"
        password = Secret("guest")
        namesUser = false
        if let at = authority.lastIndex(of: "@") {
            let credentials = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let user = Self.decoded(credentials[0]),
                let password = credentials.count == 2 ? Self.decoded(credentials[1]) : "" as String?
            else { throw invalid("user or password is badly percent-encoded") }
            self.user = user
            self.password = Secret(password)
            namesUser = true
            authority = authority[authority.index(after: at)...]
        }
        var portText: Substring?
        if authority.first == "[", let end = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.first == ":" else { throw invalid("the host is malformed") }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = String(authority[..<colon])
            portText = authority[authority.index(after: colon)...]
        } else {
            host = String(authority)
        }
        guard !host.isEmpty else { throw invalid("the host is missing") }
        port = portText.map { Int($0) ?? -1 } ?? (usesTLS ? 5671 : 5672)
        guard (1...65535).contains(port) else {
            throw invalid("the port is not a number from 1 to 65535")
        }
    }

    // All without credentials.
    package var description: String { "\(host):\(port)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["host": host, "port": port]) }

    /// What the broker says, without the password that it knows from us.
    func withoutPassword(_ words: String) -> String {
        let password = password.reveal()
        // One that is the user's name is no secret.
        return password.isEmpty || password == user ? words : words.replacing(password, with: "(hidden)")
    }

    /// Whether nothing that is sent there leaves this machine.
    package var isLoopback: Bool {
        // Names may begin with 127. too.
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        let isLoopbackAddress = numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
        return host == "localhost" || host == "::1" || isLoopbackAddress
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            // UInt8 alone would read +1 too.
            guard let digits = String(rest.prefix(2)), digits.count(where: \.isHexDigit) == 2,
                let value = UInt8(digits, radix: 16)
            else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
