import AMQP
import ConsentContract
import ConsentWorker
import JSON

/// A result event as a reader of the exchange gets it.
struct ReceivedEvent: Sendable {
    let correlationID: String?
    let json: JSONValue

    init?(_ delivery: AMQPDelivery) {
        guard case .complete(let body) = delivery.body, let json = try? JSONParser.parse(body) else { return nil }
        self.init(json: json, correlationID: delivery.properties.correlationID)
    }

    init(json: JSONValue, correlationID: String? = nil) {
        self.json = json
        self.correlationID = correlationID
    }

    private var data: JSONValue? { json["data"] }

    var commandID: GUID? { data?["commandId"]?.string.flatMap { GUID($0) } }

    /// nil for a page of a query's answer.
    var outcome: String? { data?["outcome"]?.string }

    /// What happened, for people: one line, and for errors what to do.
    var summary: String {
        // Some of it is a publisher's, and of a rejected command unchecked.
        func shown(_ value: JSONValue?) -> String { value?.string.map(Printable.text) ?? "?" }
        func text(_ name: String) -> String { shown(data?[name]) }
        let timings = data?["timings"]
        func milliseconds(_ name: String) -> String { timings?[name]?.int.map(String.init) ?? "-" }
        var lines = [
            "\(text("command")) \(text("outcome")) (\(text("effect")))  customer \(text("customerId"))  "
                + "\(milliseconds("totalMs")) ms: queued \(milliseconds("queuedMs")), limiter \(milliseconds("limiterMs")), "
                + "API \(milliseconds("apiMs")), retries \(milliseconds("retryWaitMs"))"
        ]
        if let error = data?["error"], error.object != nil {
            func text(_ name: String) -> String { shown(error[name]) }
            lines.append("  \(text("category")): \(text("message")) \(text("remedy"))")
        }
        if let count = data?["result"]?["count"]?.int { lines.append("  \(count) items") }
        if let requests = data?["result"]?["requests"]?.array {
            lines += requests.map { "  would send \(shown($0["method"])) \(shown($0["url"]))" }
        }
        return lines.joined(separator: "\n")
    }
}
