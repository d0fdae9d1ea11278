import Resilience

/// A channel of an ``AMQPConnection``. It ends with its connection, or when the broker closes it; then every call
/// throws, and acknowledgements are dropped: the broker has taken the deliveries back.
package struct AMQPChannel: Sendable {
    /// What became of a confirmed publish.
    package enum PublishOutcome: Sendable, Hashable {
        /// The broker has it, persistent messages on disk.
        case confirmed
        /// No queue takes it (only for mandatory messages).
        case returned(reason: String)
    }

    package let connection: AMQPConnection
    let number: UInt16
    let id: UInt64

    /// Limits the unsettled deliveries of each consumer started after this.
    package func setPrefetch(_ count: UInt16) async throws(AMQPError) {
        _ = try await connection.request(.qos(prefetch: count), on: self)
    }

    /// Makes every later publish on this channel confirmed.
    package func selectConfirms() async throws(AMQPError) {
        _ = try await connection.request(.confirmSelect, on: self)
    }

    /// Declares a queue, or asks for its state.
    /// - Throws: `channelClosed` with reply code 406 where a queue of that name exists with other arguments.
    @discardableResult
    package func declare(_ queue: AMQPQueue) async throws(AMQPError) -> AMQPQueueStatus {
        let reply = try await connection.request(.queueDeclare(queue), on: self)
        guard case .method(.queueDeclareOk(let name, let messages, let consumers)) = reply else {
            throw unexpected("a declare")
        }
        return AMQPQueueStatus(name: name, messages: messages, consumers: consumers)
    }

    /// Declares an exchange.
    /// - Throws: `channelClosed` with reply code 406 where an exchange of that name is of another kind.
    package func declare(_ exchange: AMQPExchange) async throws(AMQPError) {
        _ = try await connection.request(.exchangeDeclare(exchange), on: self)
    }

    /// Binds a queue to an exchange; what is bound already stays so.
    /// - Throws: `channelClosed` with reply code 404 where one of them does not exist.
    package func bind(_ binding: AMQPBinding) async throws(AMQPError) {
        _ = try await connection.request(.queueBind(binding), on: self)
    }

    /// Takes a binding away; none is no error.
    package func unbind(_ binding: AMQPBinding) async throws(AMQPError) {
        _ = try await connection.request(.queueUnbind(binding), on: self)
    }

    /// Deletes a queue with what is in it; none is no error.
    package func deleteQueue(_ name: String) async throws(AMQPError) {
        _ = try await connection.request(.queueDelete(name), on: self)
    }

    package func deleteExchange(_ name: String) async throws(AMQPError) {
        _ = try await connection.request(.exchangeDelete(name), on: self)
    }

    /// Starts a consumer. Deliveries come in batches, as they arrived together; at most the prefetch is buffered.
    ///
    /// The sequence ends when the consumer is cancelled here and throws ``AMQPError`` when the broker cancels it or
    /// the channel ends.
    package func consume(_ queue: String, exclusive: Bool = false) async throws(AMQPError) -> AMQPConsumer {
        try await connection.consume(queue, exclusive: exclusive, on: self)
    }

    /// Takes one message off a queue, nil if none is ready. It is settled like a delivery.
    package func get(_ queue: String) async throws(AMQPError) -> AMQPDelivery? {
        switch try await connection.request(.get(queue: queue), on: self) {
        case .message(let delivery): return delivery
        case .method(.getEmpty): return nil
        case .method: throw unexpected("a get")
        }
    }

    /// Publishes and waits for the broker's confirm; the channel must have confirms selected.
    ///
    /// Not cancellable: it ends with the confirm or with the channel.
    /// - Throws: `nacked` if the broker refuses the message; anything else leaves open whether it has it.
    package func publish(_ message: AMQPMessage) async throws(AMQPError) -> PublishOutcome {
        try await startPublishing(message).outcome()
    }

    /// Queues a message behind those queued before; its confirm can be awaited later.
    package func startPublishing(_ message: AMQPMessage) -> PendingPublish {
        let confirm = OneShot<ChannelState.Confirm>()
        connection.send(.publish(message, confirm), on: self)
        return PendingPublish(confirm: confirm)
    }

    /// A message that was queued and not yet confirmed.
    package struct PendingPublish: Sendable {
        fileprivate let confirm: OneShot<ChannelState.Confirm>

        /// What ``AMQPChannel/publish(_:)`` returns and throws. For one caller.
        package func outcome() async throws(AMQPError) -> PublishOutcome {
            try await confirm.wait().get()
        }
    }

    /// Returns when the broker has taken everything sent before on this channel, acknowledgements included.
    package func synchronize() async throws(AMQPError) {
        _ = try await connection.request(.qos(prefetch: 0), on: self)
    }

    /// Closes the channel; unsettled deliveries go back to their queues.
    package func close() async throws(AMQPError) {
        try await connection.close(self)
    }

    /// Leaves the channel so that a quorum queue gets its unsettled deliveries back in their order, behind nothing.
    ///
    /// After a polite close, or a cancelled consumer, deliveries that were just on their way come back before older
    /// ones (RabbitMQ 3.10 and 4.0; 20 of 25 runs under a running publisher). A channel that the broker closes for an
    /// error returns them in one step (25 of 25), so this one asks for a queue that does not exist. The broker logs it.
    package func abandon() async {
        let nowhere = AMQPQueue("a channel is left in order", passive: true)
        _ = try? await connection.request(.queueDeclare(nowhere), on: self)
    }

    func ack(_ tag: UInt64) { connection.send(.ack(tag), on: self) }

    func reject(_ tag: UInt64, requeue: Bool) { connection.send(.reject(tag, requeue: requeue), on: self) }

    private func unexpected(_ request: String) -> AMQPError {
        AMQPError(.protocolViolation, "the broker answered \(request) with something else")
    }
}

/// A running consumer.
package struct AMQPConsumer: Sendable {
    package let channel: AMQPChannel
    let tag: String
    package let deliveries: AsyncThrowingStream<[AMQPDelivery], any Error>

    /// Ends the consumer at the broker. Returns when everything that was on its way has been handed over; the sequence
    /// ends then. Unsettled deliveries stay with the channel.
    package func cancel() async throws(AMQPError) {
        _ = try await channel.connection.request(.cancel(tag: tag), on: channel)
        // The broker may answer before deliveries that it had already passed to the channel; not so this.
        try await channel.synchronize()
        await endDeliveries()
    }

    /// Ends the sequence here, once what has come so far is handed over. The broker is not told: what it still sends
    /// stays unsettled until the channel or connection ends. See ``AMQPConnection/abort()`` for why.
    package func endDeliveries() async {
        await channel.connection.endDeliveries(of: tag, on: channel)
    }
}
