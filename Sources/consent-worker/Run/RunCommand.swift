import AMQP
import Admin
import ArgumentParser
import ConsentWorker
import HTTP
import Logging
import Metrics
import ServiceLifecycle
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the worker until SIGTERM or SIGINT. SIGHUP reads the list of applications again."
    )

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        LoggingSystem.bootstrap(configuration.log)
        let metrics = MetricRegistry()
        MetricsSystem.bootstrap(metrics)
        let logger = Logger(label: "consent-worker")
        if configuration.insecure {
            logger.warning("insecure is set: passwords and tokens may travel unprotected and peers are not verified")
        }
        for warning in configuration.warnings {
            logger.warning("the configuration works but should not stay as it is", metadata: ["fault": "\(warning)"])
        }
        let client = HTTPClient(options: HTTPOptions(configuration))
        let publisher = ConfirmedPublisher(
            connector: AMQPConnector(
                name: "publish",
                endpoints: configuration.brokers,
                options: configuration.amqp,
                logger: logger
            )
        )
        let health = WorkerHealth(
            applications: configuration.applications.map(\.applicationID),
            publisher: publisher
        )
        let status = WorkerStatus(
            configuration: configuration,
            health: health,
            version: ConsentWorkerCommand.version
        )
        let tracing = TracePipeline(configuration, client, logger)
        let worker = ConsentWorkerService(
            configuration: configuration,
            publisher: publisher,
            client: client,
            health: health,
            status: status,
            tracer: tracing?.tracer,
            logger: logger
        )
        let admin = AdminService(
            configuration: configuration.admin,
            health: health,
            status: status,
            metrics: metrics,
            liveness: Liveness(
                probes: [
                    .init("work") { await health.ping() }, .init("publish") { await publisher.ping() },
                    .init("http") { await client.ping() },
                ],
                stuck: { await status.stuck() }
            ),
            logger: logger,
            onListening: { logger.notice("admin listener is up", metadata: ["port": "\($0)"]) }
        )
        let reload = ReloadService(options: options, worker: worker, logger: logger)
        // Stopped in reverse order: the worker first, the probes last. What it did until then is traced.
        var group = ServiceGroupConfiguration(
            services: [.init(service: admin)] + (tracing.map { [.init(service: $0.exporter)] } ?? [])
                + [.init(service: publisher), .init(service: worker), .init(service: reload)],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        group.maximumGracefulShutdownDuration = configuration.shutdownGrace
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            Terminal.complain("\(error)")
            throw ExitCode.failure
        }
        await client.shutdown()
        logger.notice("stopped")
    }
}

extension LoggingSystem {
    fileprivate static func bootstrap(_ log: Configuration.Log) {
        let level = Logger.Level(rawValue: log.level) ?? .info
        bootstrap { label in
            var handler: any LogHandler =
                switch log.format {
                case .json: JSONLogHandler()
                case .text: StreamLogHandler(label: label, stream: StandardErrorLines())
                }
            handler.logLevel = level
            return handler
        }
    }
}

extension HTTPOptions {
    init(_ configuration: Configuration) {
        self.init()
        connectTimeout = configuration.httpConnectTimeout
        caFile = configuration.httpCAFile
        verifiesTLS = !configuration.insecure
        maximumConnections = max(64, configuration.applications.map(\.maxInFlight).reduce(0, +) * 2)
        userAgent = "consent-worker/\(ConsentWorkerCommand.version)"
    }
}
