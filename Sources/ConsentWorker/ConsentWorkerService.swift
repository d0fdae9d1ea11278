package import AMQP
package import ConsentContract
import FoundationEssentials
package import HTTP
package import Logging
import NIOConcurrencyHelpers
package import Resilience
import ServiceLifecycle
package import Tracing

/// Takes commands from the broker and carries them out, on a work connection that comes back by itself.
package struct ConsentWorkerService: Service, CustomStringConvertible {
    private let configuration: NIOLockedValueBox<Configuration>
    private let connector: AMQPConnector
    private let factory: ApplicationFactory
    private let roster = ApplicationRoster()
    private let logger: Logger

    private var health: WorkerHealth { factory.health }
    private var fleet: Fleet { factory.fleet }

    package init(
        configuration: Configuration,
        publisher: ConfirmedPublisher,
        client: HTTPClient,
        health: WorkerHealth,
        status: WorkerStatus,
        tracer: (any Tracer)? = nil,
        clock: any MonotonicClock = SystemClock(),
        wallClock: any WallClock = SystemWallClock(),
        logger: Logger
    ) {
        self.configuration = NIOLockedValueBox(configuration)
        self.logger = logger
        var options = configuration.amqp
        options.maximumBodyBytes = UInt64(CommandDecoder.maximumBodyBytes)
        connector = AMQPConnector(
            name: "work",
            endpoints: configuration.brokers,
            options: options,
            clock: clock,
            logger: logger
        )
        let fleet = Fleet(pod: Self.podName(), publisher: publisher, clock: clock, logger: logger)
        status.attach(fleet)
        let breakers = HostBreakers(configuration.breaker, health: health, clock: clock, logger: logger)
        status.addBreakers { breakers.states }
        factory = ApplicationFactory(
            configuration: configuration,
            publisher: publisher,
            client: client,
            fleet: fleet,
            settlement: Settlement(
                publisher: publisher,
                status: status,
                clock: clock,
                wallClock: wallClock,
                logger: logger
            ),
            breakers: breakers,
            health: health,
            status: status,
            tracer: tracer,
            clock: clock,
            wallClock: wallClock,
            logger: logger,
            identityGate: ConcurrencyGate(limit: configuration.identityConcurrency)
        )
        enlist(configuration.applications)
    }

    package var description: String { "worker" }

    /// Runs until graceful shutdown or cancellation.
    package func run() async throws {
        try await withGracefulShutdownHandler {
            do {
                try await connector.run { connection in
                    do {
                        try await serve(connection)
                    } catch {
                        await connection.abort()
                        throw error
                    }
                    fleet.sayGoodbye()
                    await connection.abort()
                }
            } catch is CancellationError {
                logger.debug("the worker was cancelled")
            }
        } onGracefulShutdown: {
            health.setDraining()
            roster.close()
        }
    }

    /// Takes over what has changed in the list of applications. An application that has changed is handed over in order
    /// first; the others go on. Everything else in the configuration takes a restart.
    package func reload(_ new: Configuration) {
        let old = configuration.withLockedValue { configuration in
            defer { configuration.applications = new.applications }
            return configuration
        }
        let change = enlist(new.applications)
        logger.notice(
            "the configuration was read again",
            metadata: [
                "added": "\(change.added)", "changed": "\(change.changed)", "removed": "\(change.removed)",
            ]
        )
        var rest = new
        rest.applications = old.applications
        rest.warnings = old.warnings
        if rest != old {
            logger.warning("more than applications has changed in the configuration; restart the worker for the rest")
        }
    }

    @discardableResult
    private func enlist(_ applications: [Configuration.Application]) -> ApplicationRoster.Change {
        health.setApplications(applications.map(\.applicationID))
        factory.status.setApplications(applications)
        fleet.setApplications(owned: Set(applications.filter { $0.ordering == .customer }.map(\.applicationID)))
        return roster.update(applications) { factory.worker($0) }
    }

    private func serve(_ connection: AMQPConnection) async throws {
        let applications = roster.applications
        var declared = Set(applications.map(\.applicationID))
        do {
            do {
                try await factory.declare(applications, on: connection)
            } catch is TopologyMismatch {
                // If it is one application's only, the others go on: each declares its own.
                declared = []
                try await factory.declare([], on: connection)
            }
        } catch {
            health.setDisconnected("\(error)")
            throw error
        }
        health.setConnected(connection)
        defer { health.setDisconnected("not connected to the broker") }
        let unroutable = UnroutableWorker(
            connection: connection,
            configured: { [roster] in Set(roster.applications.map(\.applicationID)) },
            settlement: factory.settlement,
            tracer: factory.tracer,
            clock: factory.clock,
            wallClock: factory.wallClock
        )
        let shift = ApplicationShift(
            connection: connection,
            roster: roster,
            factory: factory,
            declared: declared,
            logger: logger
        )
        try await withThrowingTaskGroup { group in
            // Ends with the connection; the others end when they have drained.
            group.addTask {
                do {
                    try await fleet.run(on: connection)
                } catch let error as AMQPError {
                    await connection.abort(error)
                    throw error
                }
            }
            // What is shown of the queues holds nothing up.
            group.addTask { [queues = factory.status.queues] in try? await queues.run(on: connection) }
            try await withThrowingTaskGroup { group in
                group.addTask { try await unroutable.run() }
                group.addTask { try await shift.run() }
                // waitForAll would wait for the other after one has failed.
                while try await group.next() != nil {}
            }
            group.cancelAll()
        }
    }

    /// Names this process among the pods: readable for operators, never the same twice.
    private static func podName() -> String {
        return "\(ProcessInfo.processInfo.hostName)-\(String(UInt32.random(in: .min ... .max), radix: 16))"
    }
}
