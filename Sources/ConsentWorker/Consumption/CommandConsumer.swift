import AMQP
import ConsentContract
import EventLoop
import Logging
import Resilience
import Tracing

/// Consumes one application's command queue over one channel: each customer's commands in their order, customers
/// beside each other.
///
/// Runs on the connection's thread, so that a delivery reaches its lane without a hand-over.
actor CommandConsumer {
    /// What commands of one application for one customer share.
    private typealias Lane = GUID

    /// Where no owner counts: far more than restarts and long outages bring about.
    private static let mostDeliveries = 20

    private let connection: AMQPConnection
    private let applicationID: GUID
    private let prefetch: Int
    private let session: Session
    private let executor: CommandExecutor
    private let settlement: Settlement
    private let publisher: ConfirmedPublisher
    private let activity: ApplicationActivity
    private let tracer: (any Tracer)?
    private let clock: any MonotonicClock
    private let wallClock: any WallClock
    private let logger: Logger
    /// When a command ended last, or the first came.
    private(set) var lastProgress: ContinuousClock.Instant
    private var lanes = Lanes<Lane, (command: Command, message: ReceivedMessage)>()

    nonisolated var unownedExecutor: UnownedSerialExecutor { connection.unownedExecutor }

    init(
        connection: AMQPConnection,
        applicationID: GUID,
        prefetch: Int,
        session: Session,
        executor: CommandExecutor,
        settlement: Settlement,
        publisher: ConfirmedPublisher,
        activity: ApplicationActivity,
        tracer: (any Tracer)?,
        clock: any MonotonicClock,
        wallClock: any WallClock,
        logger: Logger
    ) {
        self.connection = connection
        self.applicationID = applicationID
        self.prefetch = prefetch
        self.session = session
        self.executor = executor
        self.settlement = settlement
        self.publisher = publisher
        self.activity = activity
        self.tracer = tracer
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
        lastProgress = clock.now
    }

    /// Consumes until the session's drain is raised: then it starts nothing more, finishes what runs and returns the
    /// rest to the queue in order. Throws ``AMQPError`` when the channel or connection ends before.
    func run() async throws {
        let channel = try await connection.openChannel()
        try await channel.setPrefetch(UInt16(prefetch))
        activity.consumes { [weak self] in await self?.oldest?.receivedAt }
        defer {
            activity.consumes(nil)
            activity.holds(commands: 0, lanes: 0)
        }
        let consumer = try await channel.consume(Topology.Name.commandQueue(applicationID))
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { [drain = session.drain] in
                guard (try? await drain.wait()) != nil else { return }
                await consumer.endDeliveries()
            }
            for try await batch in consumer.deliveries {
                for delivery in batch {
                    if let suspicion = session.suspicion, suspicion.isOn, delivery.redelivered, lanes.isEmpty {
                        try await runAlone(delivery, suspicion)
                    } else {
                        accept(delivery, &group)
                    }
                }
            }
        }
        try await channel.synchronize()
        // The channel has the acknowledgements; of many at once it passes the last on to the queue only when the queue
        // has taken the first, and what it still keeps at its end would be lost.
        try await clock.sleep(for: .milliseconds(100))
        await channel.abandon()
    }

    /// What has been in hand for longest; nil with none in hand.
    var oldest: ReceivedMessage? { lanes.elements.map(\.message).min { $0.receivedAt < $1.receivedAt } }

    var isIdle: Bool { lanes.isEmpty }

    /// Redelivered messages come first: nothing else runs beside this one.
    private func runAlone(_ delivery: AMQPDelivery, _ suspicion: Suspicion) async throws {
        guard !session.drain.isRaised else { return }
        let message = received(delivery)
        try await suspicion.runAlone(message.name) { verdict in
            do throws(Rejection) {
                let command = try CommandAdmission.admit(delivery, to: applicationID)
                if verdict == .isGuilty { return await condemn(command, message) }
                _ = lanes.enter(command.customerID, (command, message))
                activity.holds(commands: lanes.count, lanes: lanes.laneCount)
                await runLane(command.customerID, command, message)
            } catch {
                await reject(error, message)
            }
        }
    }

    /// Ends a command that ended one worker after the other.
    private func condemn(_ command: Command, _ message: ReceivedMessage) async {
        logger.error(
            "a command ended several workers; it is not carried out any more",
            metadata: [
                "correlationId": "\(message.correlationID ?? "")", "commandId": "\(command.commandID)",
                "application": "\(applicationID)",
            ]
        )
        let error = CommandError(.workerCrashed, "Several workers ended while they carried the command out.")
        // They may have sent its request.
        let effect: Effect = command.kind == .query ? .none : .unknown
        try? await settlement.settle(command, message, .ended(error, effect: effect), Ledger())
    }

    private func received(_ delivery: AMQPDelivery) -> ReceivedMessage {
        activity.received()
        return ReceivedMessage(
            delivery: delivery,
            receivedAt: clock.now,
            receivedTime: wallClock.now,
            session: session,
            tracer: tracer,
            clock: clock
        )
    }

    private func accept(_ delivery: AMQPDelivery, _ group: inout ThrowingDiscardingTaskGroup<any Error>) {
        let message = received(delivery)
        do throws(Rejection) {
            let command = try CommandAdmission.admit(delivery, to: applicationID)
            let lane = command.customerID
            if delivery.redelivered, let held = lanes[lane].first(where: { $0.message.isRedelivered(as: message) }) {
                return held.message.replaceDelivery(by: message)
            }
            if session.suspicion == nil, !session.isProbing, message.deliveries > Self.mostDeliveries {
                // Without an owner there is nobody to tell which message ran at the end of a worker. One that probes
                // whether an outage is over has been handed back again and again for the outage's sake.
                return group.addTask { await self.condemn(command, message) }
            }
            if lanes.isEmpty { lastProgress = clock.now }
            let mayStart = !session.isProbing || lanes.isEmpty
            let isFirst = lanes.enter(lane, (command, message))
            activity.holds(commands: lanes.count, lanes: lanes.laneCount)
            if isFirst, mayStart {
                // At once, and on this thread: elsewhere it would come back here after every wait.
                group.addImmediateTask(executorPreference: connection.loop) {
                    await self.runLane(lane, command, message)
                }
            }
        } catch {
            // It changes nothing at any customer, so it keeps no order.
            group.addTask { await self.reject(error, message) }
        }
    }

    /// Runs a lane until it is empty. A command that is cancelled stays unsettled: it goes back with the channel.
    private func runLane(_ lane: Lane, _ first: Command, _ message: ReceivedMessage) async {
        var current = (command: first, message: message)
        while !session.drain.isRaised, !Task.isCancelled {
            do {
                if !publisher.isReady {
                    try await session.drain.cancelWhenRaised { [publisher] in try await publisher.waitUntilReady() }
                }
                try await run(current.command, current.message)
            } catch {
                return
            }
            // Only now: a follower that is acknowledged before this one would be overtaken by its redelivery.
            let next = lanes.next(in: lane)
            activity.holds(commands: lanes.count, lanes: lanes.laneCount)
            guard let next else { return }
            current = next
        }
    }

    private func run(_ command: Command, _ message: ReceivedMessage) async throws {
        message.trace?.received()
        var ledger = Ledger()
        do {
            let result = try await executor.execute(command, message, ledger: &ledger) { [settlement] page in
                try await settlement.publish(page, of: command, message)
            }
            try await settlement.settle(command, message, result, ledger)
        } catch {
            message.trace?.endReturned()
            throw error
        }
        lastProgress = clock.now
        if session.isProbing { session.drain.raise() }
    }

    private func reject(_ rejection: Rejection, _ message: ReceivedMessage) async {
        do {
            try await settlement.settle(rejection, message)
        } catch {
            message.trace?.endReturned()
            logger.debug(
                "a rejection goes back to its queue",
                metadata: ["correlationId": "\(message.correlationID ?? "")", "error": "\(error)"]
            )
        }
    }
}
