import AMQP
import ConsentWorker
import Resilience

/// The dead letters, held on a channel of their own: what is not acknowledged goes back in its order.
struct LetterReading {
    /// The most that a consumer can hold without settling.
    static let window = 65_535
    /// How long a letter that the broker counted may be in coming.
    private static let patience = Duration.seconds(5)

    private let connection: AMQPConnection
    let channel: AMQPChannel
    /// How many waited when the reading began.
    let waiting: Int
    /// How many others read then.
    private let others: Int

    /// How many wait, and whether somebody else reads.
    static func status(_ connection: AMQPConnection) async throws(AMQPError) -> AMQPQueueStatus {
        let channel = try await connection.openChannel()
        let status = try await channel.declare(AMQPQueue(Topology.Name.deadLetters, passive: true))
        try await channel.close()
        return status
    }

    /// Hands over the letters that wait now, in their order; later ones are left alone.
    static func read(_ connection: AMQPConnection, _ take: (AMQPDelivery) -> Void) async throws -> LetterReading {
        let status = try await status(connection)
        let waiting = status.messages
        let channel = try await connection.openChannel()
        let reading = LetterReading(
            connection: connection,
            channel: channel,
            waiting: waiting,
            others: status.consumers
        )
        guard waiting > 0 else { return reading }
        try await channel.setPrefetch(UInt16(window))
        let consumer = try await channel.consume(Topology.Name.deadLetters)
        let due = min(waiting, window)
        var seen = 0
        var giveUp = ending(consumer)
        for try await batch in consumer.deliveries {
            giveUp.cancel()
            for delivery in batch.prefix(due - seen) { take(delivery) }
            seen += batch.count
            if seen >= due { break }
            giveUp = ending(consumer)
        }
        giveUp.cancel()
        // What comes from now on is not even buffered; it goes back with the rest.
        await consumer.endDeliveries()
        return reading
    }

    /// Gives back what was not acknowledged; returns when it is back.
    func leave() async {
        await channel.abandon()
        // The broker counts our consumer until then. Not for ever: it may be another one by now.
        _ = try? await Self.wait(untilReaders: others, connection)
    }

    /// Returns when no more than this many read the queue, or false if that does not come about soon.
    static func wait(untilReaders count: Int, _ connection: AMQPConnection) async throws -> Bool {
        let end = ContinuousClock.now + patience
        while try await status(connection).consumers > count {
            guard .now < end else { return false }
            try await SystemClock().sleep(for: .milliseconds(20))
        }
        return true
    }

    /// Said when there is more than one reading sees.
    var note: String? {
        guard waiting > Self.window else { return nil }
        return "the queue has \(waiting) letters; the oldest \(Self.window) of them were read"
    }

    private static func ending(_ consumer: AMQPConsumer) -> Task<Void, any Error> {
        Task {
            try await SystemClock().sleep(for: patience)
            await consumer.endDeliveries()
        }
    }
}
