import AMQP

/// The owner queue as one pod consumes it.
///
/// Everything stays unsettled until a newer token of this pod's own has been delivered: whoever is next, should the
/// broker lose sight of this pod, then finds what was there before. For the same reason the consumer is never
/// cancelled, which would activate the next one while this one still has tokens: it ends with its channel.
struct TokenIntake {
    /// More than there can ever be: with fewer, a token could stay out of sight behind others.
    private static let prefetch: UInt16 = 1000

    let channel: AMQPChannel
    private let consumer: AMQPConsumer
    private var deliveries: AsyncThrowingStream<[AMQPDelivery], any Error>.Iterator
    private var unread: [AMQPDelivery] = []
    private var unsettled: [AMQPDelivery] = []

    init(_ queue: String, on connection: AMQPConnection) async throws(AMQPError) {
        channel = try await connection.openChannel()
        try await channel.setPrefetch(Self.prefetch)
        consumer = try await channel.consume(queue)
        deliveries = consumer.deliveries.makeAsyncIterator()
    }

    /// The next token; nil after ``end()``.
    mutating func next() async throws -> AMQPDelivery? {
        while unread.isEmpty {
            guard let batch = try await deliveries.next(isolation: #isolation) else { return nil }
            unread = batch.reversed()
        }
        let delivery = unread.removeLast()
        unsettled.append(delivery)
        return delivery
    }

    /// Makes ``next()`` return nil, from another task too.
    var end: @Sendable () async -> Void { { [consumer] in await consumer.endDeliveries() } }

    /// Settles what was read before the last one.
    mutating func settleEarlier() {
        for delivery in unsettled.dropLast() { delivery.ack() }
        unsettled.removeFirst(max(0, unsettled.count - 1))
    }

    mutating func settleAll() {
        for delivery in unsettled { delivery.ack() }
        unsettled = []
    }

    /// Gives back what is not settled.
    func leave() async throws {
        try await channel.synchronize()
        await channel.abandon()
    }
}
