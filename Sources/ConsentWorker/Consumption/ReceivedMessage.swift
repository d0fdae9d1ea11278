import AMQP
import ConsentContract
import NIOConcurrencyHelpers
import Resilience
import Tracing

/// A delivery with what every later step asks of it. A class, because every step holds it.
final class ReceivedMessage: Sendable {
    let delivery: AMQPDelivery
    let receivedAt: ContinuousClock.Instant
    let receivedTime: Timestamp
    let session: Session
    /// The command's spans; nil where tracing is off.
    let trace: CommandTrace?
    /// The delivery to acknowledge: the last one of this message.
    private let latest: NIOLockedValueBox<AMQPDelivery>

    init(
        delivery: AMQPDelivery,
        receivedAt: ContinuousClock.Instant,
        receivedTime: Timestamp,
        session: Session,
        tracer: (any Tracer)?,
        clock: any MonotonicClock
    ) {
        self.delivery = delivery
        self.receivedAt = receivedAt
        self.receivedTime = receivedTime
        self.session = session
        trace = tracer.map { tracer in
            let time = CommandTrace.Time(receivedTime, at: receivedAt, clock)
            return CommandTrace(delivery, delivery.properties.traceContext, tracer, time)
        }
        latest = NIOLockedValueBox(delivery)
    }

    /// Takes the message off its queue.
    func ack() { latest.withLockedValue { $0 }.ack() }

    /// True if `other` is this very message, delivered again on the same channel: a node of the broker that lost
    /// sight of the channel for a while does that.
    func isRedelivered(as other: ReceivedMessage) -> Bool {
        other.delivery.redelivered && other.deliveries > Self.deliveries(latest.withLockedValue { $0 })
            && other.correlationID == correlationID && other.delivery.body == delivery.body
    }

    /// Acknowledges by the later delivery of the same message: the earlier one's tag means nothing any more.
    func replaceDelivery(by other: ReceivedMessage) { latest.withLockedValue { $0 = other.delivery } }

    /// Raised by a replay from the dead letters.
    static let generationHeader = "consent-generation"
    /// Set by quorum queues from the second delivery on.
    private static let deliveryCountHeader = "x-delivery-count"

    private var headers: AMQPTable { delivery.properties.headers }

    /// The correlation ID as the publisher gave it.
    var correlationID: String? { delivery.properties.correlationID }

    /// Names the message itself, whatever it holds.
    var name: GUID {
        switch delivery.body {
        case .complete(let body): return Identifiers.event(body: body, correlationID: correlationID)
        case .tooLarge(let bytes):
            // It was not kept; what else tells it from others is the same at every delivery.
            let properties = delivery.properties
            let substitute = "\(bytes)/\(properties.messageID ?? "")/\(properties.timestamp ?? 0)"
            return Identifiers.event(body: Array(substitute.utf8), correlationID: correlationID)
        }
    }

    var generation: Int { max(0, Int(headers[Self.generationHeader]?.int ?? 0)) }

    /// How often the broker has delivered it, this time included.
    var deliveries: Int { Self.deliveries(delivery) }

    private static func deliveries(_ delivery: AMQPDelivery) -> Int {
        // A publisher can set the header too; it counts only where the broker says that it delivers again.
        guard delivery.redelivered else { return 1 }
        guard let count = delivery.properties.headers[deliveryCountHeader]?.int else { return 2 }
        return Int(min(max(count, 1), 1_000_000)) + 1
    }

    /// What follows from the command belongs to its own span; where tracing is off, to what the publisher named.
    var traceContext: TraceContext? { trace.map(\.context) ?? delivery.properties.traceContext }

    /// What waiting is measured from: the command's own time, else the AMQP timestamp.
    func queued(issuedAt: Timestamp?) -> Duration? {
        // Some clients put nanoseconds where AMQP has seconds; what is beyond the year 9999 tells nothing.
        let published = delivery.properties.timestamp.flatMap { seconds in
            seconds < 253_402_300_800 ? Timestamp(milliseconds: Int64(seconds) * 1000) : nil
        }
        return (issuedAt ?? published).map { max(.zero, receivedTime - $0) }
    }
}

extension AMQPProperties {
    /// As the publisher gave it.
    var traceContext: TraceContext? {
        TraceContext(traceparent: headers["traceparent"]?.string, tracestate: headers["tracestate"]?.string)
    }
}
