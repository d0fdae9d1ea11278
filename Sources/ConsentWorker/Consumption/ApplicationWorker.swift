import AMQP
import ConsentContract
import Logging
import Resilience
import ServiceLifecycle

/// Consumes one application's command queue over one connection: each customer's commands in their order, customers
/// beside each other.
///
/// Runs on the connection's thread, so that a delivery reaches its lane without a hand-over.
actor ApplicationWorker {
    /// What commands of one application for one customer share.
    private typealias Lane = GUID

    private let connection: AMQPConnection
    private let application: Configuration.Application
    private let executor: CommandExecutor
    private let settlement: Settlement
    private let publisher: ConfirmedPublisher
    private let health: WorkerHealth
    private let clock: any MonotonicClock
    private let wallClock: any WallClock
    private let logger: Logger
    private var lanes = Lanes<Lane, (Command, ReceivedMessage)>()

    nonisolated var unownedExecutor: UnownedSerialExecutor { connection.unownedExecutor }

    init(
        connection: AMQPConnection,
        application: Configuration.Application,
        executor: CommandExecutor,
        settlement: Settlement,
        publisher: ConfirmedPublisher,
        health: WorkerHealth,
        clock: any MonotonicClock,
        wallClock: any WallClock,
        logger: Logger
    ) {
        self.connection = connection
        self.application = application
        self.executor = executor
        self.settlement = settlement
        self.publisher = publisher
        self.health = health
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
    }

    /// Consumes until the connection ends (throws ``AMQPError``), the task is cancelled, or the worker shuts down
    /// gracefully: then it starts nothing more, finishes what runs and returns the rest to the queue in order.
    func run() async throws {
        let channel = try await connection.openChannel()
        try await channel.setPrefetch(UInt16(application.prefetch))
        let consumer = try await channel.consume(Topology.Name.commandQueue(application.applicationID))
        logger.notice("consuming", metadata: ["application": "\(application.applicationID)"])
        health.setConsuming(application.applicationID, true)
        defer { health.setConsuming(application.applicationID, false) }
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                for try await batch in consumer.deliveries {
                    for delivery in batch { accept(delivery, &group) }
                }
            }
        } onGracefulShutdown: {
            // A task of its own: the handler is synchronous.
            Task { await consumer.endDeliveries() }
        }
        try await channel.synchronize()
    }

    private func accept(_ delivery: AMQPDelivery, _ group: inout ThrowingDiscardingTaskGroup<any Error>) {
        let message = ReceivedMessage(delivery: delivery, receivedAt: clock.now, receivedTime: wallClock.now)
        do throws(Rejection) {
            let command = try CommandAdmission.admit(delivery, to: application.applicationID)
            let lane = command.customerID
            if lanes.enter(lane, (command, message)) {
                group.addTask { await self.runLane(lane, command, message) }
            }
        } catch {
            // It changes nothing at any customer, so it keeps no order.
            group.addTask { await self.reject(error, message) }
        }
    }

    /// Runs a lane until it is empty. A command that is cancelled stays unsettled: it goes back with the channel.
    private func runLane(_ lane: Lane, _ first: Command, _ message: ReceivedMessage) async {
        var current = (first, message)
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                if !publisher.isReady {
                    try await cancelWhenGracefulShutdown { [publisher] in try await publisher.waitUntilReady() }
                }
                try await run(current.0, current.1)
            } catch {
                return
            }
            // Only now: a follower that is acknowledged before this one would be overtaken by its redelivery.
            guard let next = lanes.next(in: lane) else { return }
            current = next
        }
    }

    private func run(_ command: Command, _ message: ReceivedMessage) async throws {
        var ledger = Ledger()
        let result = try await executor.execute(command, message, ledger: &ledger) { [settlement] page in
            try await settlement.publish(page, of: command, message)
        }
        try await settlement.settle(command, message, result, ledger)
    }

    private func reject(_ rejection: Rejection, _ message: ReceivedMessage) async {
        do {
            try await settlement.settle(rejection, message)
        } catch {
            logger.debug("a rejection goes back to its queue", metadata: ["error": "\(error)"])
        }
    }
}
