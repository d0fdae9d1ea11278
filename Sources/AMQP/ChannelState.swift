import Resilience

/// What the connection knows of one of its channels. Confined to the connection's actor.
final class ChannelState {
    typealias Confirm = Outbox.Confirm

    /// What answers a request: a method, or a whole message where one was asked for.
    enum Reply: Sendable {
        case method(Method)
        case message(AMQPDelivery)
    }

    /// The broker answers a channel's requests in the order they were sent.
    struct PendingReply {
        let reply: OneShot<Result<Reply, AMQPError>>
        let deadline: ContinuousClock.Instant
    }

    /// Tells this channel from an earlier one of the same number.
    let id: UInt64
    var assembler: ContentAssembler
    var confirms = ConfirmTracker<OneShot<Confirm>>()
    var replies: [PendingReply] = []
    var consumers: [String: AsyncThrowingStream<[AMQPDelivery], any Error>.Continuation] = [:]
    /// Deliveries of this turn of the loop, handed over together at its end.
    var batches: [String: [AMQPDelivery]] = [:]
    /// Of each consumer started from now on; 0 stands for no limit.
    var prefetch: UInt16 = 0
    /// Of all consumers together; nil for no limit.
    private var window: Int? = 0
    private var unsettled = 0

    init(id: UInt64, maximumBodyBytes: UInt64) {
        self.id = id
        assembler = ContentAssembler(maximumBodyBytes: maximumBodyBytes)
    }

    func answer(_ reply: Reply) throws(AMQPError) {
        guard !replies.isEmpty else {
            throw AMQPError(.protocolViolation, "the broker answered a request that was never made")
        }
        replies.removeFirst().reply.resolve(.success(reply))
    }

    func consumerStarted() { window = prefetch == 0 ? nil : window.map { $0 + Int(prefetch) } }

    /// Holds the broker to the prefetch, which is all that bounds what waits here.
    func delivered() throws(AMQPError) {
        unsettled += 1
        // A node of the broker that lost sight of the channel for a while delivers again what is here already.
        guard let window, unsettled > 2 * window + 16 else { return }
        throw AMQPError(
            .protocolViolation,
            "the broker broke the protocol: it delivers more than the prefetch of \(window)"
        )
    }

    func settled() { unsettled = max(0, unsettled - 1) }

    func handOverBatches() {
        guard !batches.isEmpty else { return }
        for (tag, batch) in batches { consumers[tag]?.yield(batch) }
        batches.removeAll(keepingCapacity: true)
    }

    /// Ends everything that waits on this channel.
    func fail(_ error: AMQPError) {
        for pending in replies { pending.reply.resolve(.failure(error)) }
        replies = []
        for waiter in confirms.drain() { waiter.resolve(.failure(error)) }
        for consumer in consumers.values { consumer.finish(throwing: error) }
        consumers = [:]
        batches = [:]
    }
}
