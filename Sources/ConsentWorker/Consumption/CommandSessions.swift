import AMQP
import Logging
import Resilience

/// Consumes an application's commands in stretches: a window of deliveries is handed back in order, and taken anew,
/// before the broker's patience with unacknowledged deliveries ends, when events cannot be told for a while, and when
/// requests cannot be sent for a while: then one command at a time is tried until there is an end to it.
struct CommandSessions: Sendable {
    /// RabbitMQ closes a channel that leaves a delivery unacknowledged for 30 minutes.
    static let oldestDelivery = Duration.seconds(15 * 60)
    static let longestBlock = Duration.seconds(60)
    static let longestHoldUp = Duration.seconds(60)

    let holdUp: HoldUp
    let operatorPause: OperatorPause
    let publisher: ConfirmedPublisher
    let clock: any MonotonicClock
    let logger: Logger
    let makeConsumer: @Sendable (Session) -> CommandConsumer

    /// Returns when `release` was raised and everything in hand is settled or back in the queue.
    func run(_ lease: Lease?, _ suspicion: Suspicion?, until release: DrainSignal) async throws {
        var isProbing = false
        while !release.isRaised {
            do {
                try await release.cancelWhenRaised { [publisher, operatorPause] in
                    try await operatorPause.wait(until: false)
                    try await publisher.waitUntilReady()
                }
            } catch  where release.isRaised {
                return
            }
            let session = Session(lease: lease, suspicion: suspicion, isProbing: isProbing)
            let consumer = makeConsumer(session)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await release.wait()
                    session.drain.raise()
                }
                group.addTask {
                    try await operatorPause.wait(until: true)
                    session.drain.raise()
                }
                group.addTask { try await handBackOldWindow(consumer, session) }
                group.addTask { try await handBackWhenBlocked(session) }
                group.addTask { try await handBackWhenHeldUp(consumer, session) }
                if isProbing { group.addTask { try await endProbing(session) } }
                defer { group.cancelAll() }
                try await consumer.run()
            }
            isProbing = holdUp.exists
        }
    }

    private func handBackOldWindow(_ consumer: CommandConsumer, _ session: Session) async throws {
        var oldest: ReceivedMessage?
        while true {
            oldest = await consumer.oldest
            let end = (oldest?.receivedAt ?? clock.now) + Self.oldestDelivery
            guard end > clock.now else { break }
            try await clock.sleep(until: end)
        }
        logger.info(
            "a command is in hand for long; the window goes back to its queue for a moment",
            metadata: ["correlationId": "\(oldest?.correlationID ?? "")"]
        )
        session.drain.raise()
    }

    private func handBackWhenHeldUp(_ consumer: CommandConsumer, _ session: Session) async throws {
        // Without an owner a message is judged by how often it was delivered: the one that probes is kept.
        if session.isProbing, session.suspicion == nil { return }
        while true {
            let stands = await !consumer.isIdle && holdUp.keepsWaiting
            let since = await stands ? consumer.lastProgress : clock.now
            let end = since + Self.longestHoldUp
            guard end > clock.now else { break }
            try await clock.sleep(until: end)
        }
        logger.info("nothing can be sent for a while; the window goes back to its queue")
        session.drain.raise()
    }

    /// Goes on with a whole window when the API answers again, also if the one command still has to be retried.
    private func endProbing(_ session: Session) async throws {
        while holdUp.exists { try await clock.sleep(for: .seconds(1)) }
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
