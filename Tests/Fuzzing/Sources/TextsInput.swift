import AMQP
import ConsentContract
import MicrosoftAPI
import Resilience
import Secrets

@testable import AMQP
@testable import ConsentWorker

extension FuzzInput {
    /// Single values that come as text: times, IDs, headers, addresses.
    static let texts = FuzzInput(
        "texts",
        TextMutation([
            "T", "Z", "+", "-", ":", ".", "GMT", "amqp://", "amqps://", "@", "[::1]", "%2f", "Nov", "ms", "s",
        ]),
        examples: {
            Examples.texts(
                "2026-12-01T10:00:00.123Z",
                "2026-12-01T10:00:00.123456789+01:00",
                "Sun, 06 Nov 2094 08:49:37 GMT",
                "120",
                "11111111-1111-4111-8111-111111111111",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "amqps://user:p%40ss@broker.example:5671/%2f",
                "amqp://[::1]/v",
                "250ms",
                "1h",
                "https://h:1/p?q#f"
            )
        }
    ) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        if let time = Timestamp(text) {
            try require(Timestamp(time.description) == time, "a time is read as it was written: \(time)")
        }
        if let id = GUID(text) { try require(GUID(id.description) == id, "an ID is read as it was written") }
        if let wait = RetryAfter.parse(text, now: now) {
            try require(wait >= .zero && wait.milliseconds >= 0, "a wait is no less than nothing")
        }
        if let context = TraceContext(traceparent: text, tracestate: text) {
            let header = (context.traceparent + (context.tracestate ?? "")).utf8
            try require(header.allSatisfy { (0x20...0x7E).contains($0) }, "a trace context fits into a header")
        }
        if let duration = Duration(configured: text) {
            try require(Duration(configured: duration.configured) == duration, "a duration is read as it was written")
        }
        if let endpoint = try? AMQPEndpoint(uri: text) {
            try require(
                !endpoint.host.isEmpty && (1...65_535).contains(endpoint.port),
                "a broker has a host and a port"
            )
            let password = endpoint.password.reveal()
            let shown = "\(endpoint) \(String(reflecting: endpoint))"
            try require(
                shown == "\(endpoint.host):\(endpoint.port) \(endpoint.host):\(endpoint.port)",
                "no more is shown"
            )
            if password != endpoint.user, !password.isEmpty, !"(hidden)".contains(password) {
                try require(!endpoint.withoutPassword("a\(password)b").contains(password), "no password is repeated")
            }
        }
        _ = Endpoints.isLoopback(text)
        _ = Printable.text(text)
    }
}
