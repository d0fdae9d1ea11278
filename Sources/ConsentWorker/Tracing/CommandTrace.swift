import AMQP
import ConsentContract
import HTTP
import MicrosoftAPI
import Resilience
import Tracing

/// The spans of one command, from its delivery to its acknowledgement. There is none where tracing is off.
///
/// Names and attributes are those of OpenTelemetry's conventions for messaging and HTTP; ours begin with `consent.`.
final class CommandTrace: Sendable {
    /// What follows from the command belongs to its span: the event is its child.
    let context: TraceContext?
    private let tracer: any Tracer
    private let span: any Span
    private let time: Time

    init(_ delivery: AMQPDelivery, _ published: TraceContext?, _ tracer: any Tracer, _ time: Time) {
        self.tracer = tracer
        self.time = time
        var parent = InstrumentationContext.topLevel
        tracer.extract(published?.fields ?? [:], into: &parent, using: TraceFields())
        span = tracer.startSpan(
            "process \(Topology.Name.commands)",
            context: parent,
            ofKind: .consumer,
            at: time.received
        )
        context = TraceContext(span.context, tracer)
        guard span.isRecording else { return }
        var attributes = Self.messaging("process", delivery.exchange, delivery.routingKey, delivery.properties)
        attributes["messaging.rabbitmq.message.delivery_tag"] = Int64(clamping: delivery.tag)
        if case .complete(let body) = delivery.body { attributes["messaging.message.body.size"] = body.count }
        span.attributes = attributes
    }

    /// The command's turn has come.
    func received() {
        begin(
            "receive \(Topology.Name.commands)",
            .internal,
            Self.messaging("receive", operation: "receive"),
            at: time.received
        )?.end()
    }

    /// A part of the command's way that is worth its own span; nil if the command's trace is not sampled.
    func begin(_ name: String) -> Step? { begin(name, .internal, [:], at: time.now) }

    private func begin(
        _ name: @autoclosure () -> String,
        _ kind: SpanKind,
        _ attributes: @autoclosure () -> SpanAttributes,
        at start: Instant
    ) -> Step? {
        guard span.isRecording else { return nil }
        let step = tracer.startSpan(name(), context: span.context, ofKind: kind, at: start)
        step.attributes = attributes()
        return Step(span: step, time: time)
    }

    func publish(_ message: AMQPMessage) -> Step? {
        begin(
            "publish \(message.exchange)",
            .producer,
            Self.messaging("publish", message.exchange, message.routingKey, message.properties),
            at: time.now
        )
    }

    func settle() -> Step? {
        begin("settle \(Topology.Name.commands)", .client, Self.messaging("ack", operation: "settle"), at: time.now)
    }

    /// A request that is about to be sent, and as whose child the API is to see it.
    func request(_ request: APIRequest) -> (step: Step, context: TraceContext?)? {
        guard let step = begin(request.method.rawValue, .client, request.attributes, at: time.now) else { return nil }
        return (step, TraceContext(step.span.context, tracer))
    }

    /// The command is settled.
    func end(_ event: ResultEvent) {
        guard span.isRecording else { return }
        span.updateAttributes { attributes in
            attributes["consent.command"] = event.about.kind?.rawValue
            attributes["consent.command_id"] = event.about.commandID?.description
            attributes["consent.application_id"] = event.about.applicationID?.description
            attributes["consent.partner_tenant_id"] = event.about.partnerTenantID?.description
            attributes["consent.customer_id"] = event.about.customerID?.description
            attributes["consent.attempts"] = event.attempts
            attributes["consent.deliveries"] = event.deliveries
            attributes["consent.outcome"] = event.outcome.rawValue
            attributes["consent.effect"] = event.effect.rawValue
            attributes["error.type"] = event.error?.category.rawValue
        }
        if event.error != nil { span.setStatus(SpanStatus(code: .error)) }
        span.end(at: time.now)
    }

    /// The command goes back to its queue, for another delivery.
    func endReturned() {
        span.attributes["consent.outcome"] = "returned"
        span.end(at: time.now)
    }

    private static func messaging(_ name: String, operation: String) -> SpanAttributes {
        [
            "messaging.system": "rabbitmq", "messaging.operation.name": .string(name),
            "messaging.operation.type": .string(operation),
        ]
    }

    private static func messaging(
        _ operation: String,
        _ exchange: String,
        _ routingKey: String,
        _ properties: AMQPProperties
    ) -> SpanAttributes {
        var attributes = messaging(operation, operation: operation)
        attributes["messaging.destination.name"] = exchange
        attributes["messaging.rabbitmq.destination.routing_key"] = routingKey
        attributes["messaging.message.id"] = properties.messageID
        attributes["messaging.message.conversation_id"] = properties.correlationID
        return attributes
    }
}
