import AMQP
import ConsentContract
import JSON
import Resilience

/// The one message in an application's owner queue. Whoever holds it may consume the application's commands.
struct OwnerToken: Sendable, Hashable {
    /// How the fleet treats the application. All pods must do the same, so the token says it.
    var agreement: Agreement
    /// The pod that wrote it as owner; nil when nobody owns the application, or nobody is known to.
    var holder: String?
    /// Nobody sends for the application any more: the next owner need not wait for a lease to run out.
    var isReleased: Bool
    /// The holder's right to send ends this long after a renewal.
    var lease: Duration
    /// How the owners before ended.
    var record = Suspicion.Record()

    struct Agreement: Sendable, Hashable {
        var ordering: Configuration.Ordering
        var prefetch: Int

        init(ordering: Configuration.Ordering, prefetch: Int) {
            self.ordering = ordering
            self.prefetch = prefetch
        }

        init(_ application: Configuration.Application) {
            self.init(ordering: application.ordering, prefetch: application.prefetch)
        }
    }

    init(_ agreement: Agreement, holder: String?, isReleased: Bool, lease: Duration) {
        self.agreement = agreement
        self.holder = holder
        self.isReleased = isReleased
        self.lease = lease
    }
}

extension OwnerToken {
    /// - Parameter own: what stands for members that are missing or make no sense: whoever wrote them, one token too
    ///   many is harmless, none is not.
    init(_ delivery: AMQPDelivery, assuming own: Agreement, lease: Duration) {
        var json = JSONValue.null
        if case .complete(let body) = delivery.body { json = (try? JSONParser.parse(body)) ?? .null }
        let prefetch = json["prefetch"]?.int.flatMap { (1...65_535).contains($0) ? $0 : nil }
        let milliseconds = json["leaseMs"]?.int.flatMap { (1...3_600_000).contains($0) ? $0 : nil }
        self.init(
            Agreement(
                ordering: json["ordering"]?.string.flatMap { Configuration.Ordering(rawValue: $0) } ?? own.ordering,
                prefetch: prefetch ?? own.prefetch
            ),
            holder: json["holder"]?.string,
            isReleased: json["released"]?.bool ?? false,
            lease: milliseconds.map { .milliseconds($0) } ?? lease
        )
        record.takeOvers = min(max(json["takeOvers"]?.int ?? 0, 0), 1_000_000)
        record.suspect = json["suspect"]?.string
        record.crashes = min(max(json["crashes"]?.int ?? 0, 0), 1_000_000)
    }

    func message(to applicationID: GUID) -> AMQPMessage {
        let json: JSONValue = [
            "ordering": .string(agreement.ordering.rawValue), "prefetch": .number(JSONNumber(agreement.prefetch)),
            "holder": JSONValue(holder), "released": .bool(isReleased),
            "leaseMs": .number(JSONNumber(lease.milliseconds)),
            "takeOvers": .number(JSONNumber(record.takeOvers)), "suspect": JSONValue(record.suspect),
            "crashes": .number(JSONNumber(record.crashes)),
        ]
        var properties = AMQPProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 2
        return AMQPMessage(
            exchange: "",
            routingKey: Topology.Name.ownerQueue(applicationID),
            properties: properties,
            body: json.bytes
        )
    }
}
