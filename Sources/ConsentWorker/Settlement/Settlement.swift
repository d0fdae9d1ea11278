import AMQP
import ConsentContract
import Logging
import Metrics
import Resilience

/// Ends a command: its event confirmed, its dead letter too if it has one, only then the acknowledgement.
struct Settlement: Sendable {
    let publisher: ConfirmedPublisher
    let status: WorkerStatus
    let clock: any MonotonicClock
    let wallClock: any WallClock
    let logger: Logger
    private let complaints = Pacemaker(every: .seconds(60))

    /// For a command that was carried out, or tried.
    func settle(
        _ command: Command,
        _ message: ReceivedMessage,
        _ result: CommandResult,
        _ ledger: Ledger
    ) async throws(CancellationError) {
        let about = Rejection.Readable(command)
        try await settle(message, event(about, message, result, ledger, issuedAt: command.issuedAt), result)
    }

    /// For a message that is no valid command.
    func settle(_ rejection: Rejection, _ message: ReceivedMessage) async throws(CancellationError) {
        let result = CommandResult.ended(CommandError(rejection))
        try await settle(message, event(rejection.readable, message, result, Ledger(), issuedAt: nil), result)
    }

    /// Publishes a part of a query's answer, ahead of the event that ends the command.
    func publish(_ page: AnswerPages.Page, of command: Command, _ message: ReceivedMessage)
        async throws(CancellationError)
    {
        let event = QueryPageEvent(
            id: Identifiers.page(
                command: command.commandID,
                generation: message.generation,
                deliveries: message.deliveries,
                number: page.number
            ),
            time: wallClock.now,
            command: command,
            correlationID: message.correlationID ?? command.commandID.description,
            deliveries: message.deliveries,
            page: page.number,
            isFinal: page.isFinal,
            items: page.items,
            traceparent: message.traceContext?.traceparent,
            tracestate: message.traceContext?.tracestate
        )
        try await publish(
            Self.message(
                event.body,
                id: event.id,
                time: event.time,
                routingKey: event.routingKey,
                correlationID: event.correlationID,
                traceparent: event.traceparent,
                tracestate: event.tracestate
            ),
            message.trace
        )
    }

    private func settle(
        _ message: ReceivedMessage,
        _ event: ResultEvent,
        _ result: CommandResult
    ) async throws(CancellationError) {
        let eventMessage = Self.message(event)
        try await publish(eventMessage, message.trace)
        reply(eventMessage, to: message)
        if let error = result.error, result.outcome == .failed || result.outcome == .rejected {
            let deadLetter = DeadLetter(received: message, error: error, attempts: event.attempts, time: event.time)
            try await publish(deadLetter.message, message.trace)
        }
        let step = message.trace?.settle()
        message.ack()
        step?.end()
        message.trace?.end(event)
        status.ended(event)
        logger.debug(
            "command ended",
            metadata: [
                "correlationId": "\(event.correlationID ?? "")",
                "commandId": "\(event.about.commandID?.description ?? "")",
                "outcome": "\(event.outcome.rawValue)", "effect": "\(event.effect.rawValue)",
                "category": "\(result.error?.category.rawValue ?? "")",
            ]
        )
    }

    /// Sends the event also to the queue that the command names. Nothing waits for it: the event itself is safe.
    private func reply(_ event: AMQPMessage, to message: ReceivedMessage) {
        guard let address = CommandAdmission.replyAddress(of: message.delivery) else { return }
        var reply = event
        reply.exchange = ""
        reply.routingKey = address
        // The broker returns mandatory messages to direct reply-to as unroutable though it has delivered them.
        reply.mandatory = !address.hasPrefix("amq.rabbitmq.reply-to")
        publisher.offer(reply) { [logger] reason in
            Counter(label: "consent_replies_lost_total").increment()
            logger.debug(
                "a reply was lost; its event was not",
                metadata: ["correlationId": "\(event.properties.correlationID ?? "")", "reason": "\(reason)"]
            )
        }
    }

    /// Until a queue has it: an event or dead letter that no queue takes would be lost with the acknowledgement.
    private func publish(_ message: AMQPMessage, _ trace: CommandTrace?) async throws(CancellationError) {
        let step = trace?.publish(message)
        var refused: String?
        defer {
            step?.end()
            if let refused { status.untold(refused, nil) }
        }
        while case .returned(let reason) = try await publisher.publish(message) {
            let name = "\(message.exchange) \(message.properties.messageID ?? "")"
            refused = name
            status.untold(name, "no queue takes what is published to \(message.exchange): \(reason)")
            // Every command in hand meets this: one line a minute tells of them all.
            logger.log(
                level: complaints.allows(at: clock.now) ? .error : .debug,
                "no queue takes what the worker publishes; commands wait for it",
                metadata: [
                    "correlationId": "\(message.properties.correlationID ?? "")", "exchange": "\(message.exchange)",
                    "reason": "\(reason)",
                ]
            )
            do {
                try await clock.sleep(for: .seconds(5))
            } catch {
                throw CancellationError()
            }
        }
        status.published(to: message.exchange)
    }

    private func event(
        _ about: Rejection.Readable,
        _ message: ReceivedMessage,
        _ result: CommandResult,
        _ ledger: Ledger,
        issuedAt: Timestamp?
    ) -> ResultEvent {
        let queued = message.queued(issuedAt: issuedAt)
        var timings = ResultEvent.Timings()
        timings.queued = queued?.milliseconds
        timings.limiter = ledger.limiter.milliseconds
        timings.api = ledger.api.milliseconds
        timings.retryWait = ledger.retryWait.milliseconds
        timings.total = ((queued ?? .zero) + (clock.now - message.receivedAt)).milliseconds
        return ResultEvent(
            id: eventID(about, message),
            time: wallClock.now,
            outcome: result.outcome,
            effect: result.effect,
            about: about,
            correlationID: message.correlationID ?? about.commandID?.description,
            attempts: ledger.attempts,
            deliveries: message.deliveries,
            timings: timings,
            api: ledger.trace,
            error: result.error,
            result: result.result,
            traceparent: message.traceContext?.traceparent,
            tracestate: message.traceContext?.tracestate
        )
    }

    private func eventID(_ about: Rejection.Readable, _ message: ReceivedMessage) -> GUID {
        if let commandID = about.commandID {
            return Identifiers.event(command: commandID, generation: message.generation)
        }
        return message.name
    }

    private static func message(_ event: ResultEvent) -> AMQPMessage {
        message(
            event.body,
            id: event.id,
            time: event.time,
            routingKey: event.routingKey,
            correlationID: event.correlationID,
            traceparent: event.traceparent,
            tracestate: event.tracestate
        )
    }

    private static func message(
        _ body: [UInt8],
        id: GUID,
        time: Timestamp,
        routingKey: String,
        correlationID: String?,
        traceparent: String?,
        tracestate: String?
    ) -> AMQPMessage {
        var properties = AMQPProperties()
        properties.contentType = CloudEvent.contentType
        properties.deliveryMode = 2
        properties.correlationID = correlationID
        properties.messageID = id.description
        properties.timestamp = UInt64(max(0, time.milliseconds / 1000))
        if let traceparent { properties.headers["traceparent"] = .string(traceparent) }
        if let tracestate { properties.headers["tracestate"] = .string(tracestate) }
        return AMQPMessage(
            exchange: Topology.Name.events,
            routingKey: routingKey,
            properties: properties,
            body: body
        )
    }
}
