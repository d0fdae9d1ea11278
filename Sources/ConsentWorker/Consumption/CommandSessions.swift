import AMQP
import Logging
import Resilience

/// Consumes an application's commands in stretches: a window of deliveries is handed back in order, and taken anew,
/// before the broker's patience with unacknowledged deliveries ends, and when events cannot be told for a while.
struct CommandSessions: Sendable {
    /// RabbitMQ closes a channel that leaves a delivery unacknowledged for 30 minutes.
    static let oldestDelivery = Duration.seconds(15 * 60)
    static let longestBlock = Duration.seconds(60)

    let publisher: ConfirmedPublisher
    let clock: any MonotonicClock
    let logger: Logger
    let makeConsumer: @Sendable (Session) -> CommandConsumer

    /// Returns when `release` was raised and everything in hand is settled or back in the queue.
    func run(lease: Lease?, until release: DrainSignal) async throws {
        while !release.isRaised {
            do {
                try await release.cancelWhenRaised { [publisher] in try await publisher.waitUntilReady() }
            } catch  where release.isRaised {
                return
            }
            let session = Session(lease: lease)
            let consumer = makeConsumer(session)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await release.wait()
                    session.drain.raise()
                }
                group.addTask { try await handBackOldWindow(consumer, session) }
                group.addTask { try await handBackWhenBlocked(session) }
                defer { group.cancelAll() }
                try await consumer.run()
            }
        }
    }

    private func handBackOldWindow(_ consumer: CommandConsumer, _ session: Session) async throws {
        while true {
            let oldest = await consumer.oldestDelivery ?? clock.now
            let end = oldest + Self.oldestDelivery
            guard end > clock.now else { break }
            try await clock.sleep(until: end)
        }
        logger.info("a command is in hand for long; the window goes back to its queue for a moment")
        session.drain.raise()
    }

    private func handBackWhenBlocked(_ session: Session) async throws {
        while true {
            let end = (publisher.unreadySince ?? clock.now) + Self.longestBlock
            guard end > clock.now else { break }
            try await clock.sleep(until: end)
        }
        logger.info("the broker takes no events for a while; the window goes back to its queue")
        session.drain.raise()
    }
}
