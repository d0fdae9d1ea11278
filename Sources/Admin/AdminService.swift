package import ConsentWorker
import Hummingbird
import JSON
package import Logging
import NIOCore
package import Resilience
import ServiceLifecycle

/// The HTTP listener for probes, metrics and people.
///
/// - `/livez` says whether the threads turn and commands come to an end, never whether something can be reached: a
///   restart mends no broker.
/// - `/readyz` says whether commands are being taken, and if not, why.
/// - `/metrics` is for Prometheus.
/// - `/` is a page for people, which reads `/status.json`.
///
/// All of it is read off what the worker notes anyway: nobody who asks makes a command wait.
package struct AdminService: Service, CustomStringConvertible {
    private let configuration: Configuration.Admin
    private let health: WorkerHealth
    private let status: WorkerStatus
    private let metrics: MetricRegistry
    private let liveness: Liveness
    private let clock: any MonotonicClock
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// - Parameter onListening: told the port.
    package init(
        configuration: Configuration.Admin,
        health: WorkerHealth,
        status: WorkerStatus,
        metrics: MetricRegistry,
        liveness: Liveness,
        clock: any MonotonicClock = SystemClock(),
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.health = health
        self.status = status
        self.metrics = metrics
        self.liveness = liveness
        self.clock = clock
        self.logger = logger
        self.onListening = onListening
    }

    package var description: String { "admin" }

    package func run() async throws {
        let router = Router()
        router.get("livez") { _, _ in await self.live() }
        router.get("readyz") { _, _ in self.ready() }
        router.get("metrics") { _, _ in self.scrape() }
        router.get("status.json") { _, _ in Self.response(.ok, self.status.snapshot(isPerson: true).json) }
        router.get("/") { _, _ in LivePage.response() }
        // Hummingbird tells at info of every start; that is a debug fact here.
        var logger = logger
        if logger.logLevel == .info { logger.logLevel = .notice }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(configuration.host, port: configuration.port)),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [lag = LoopLag(probes: liveness.probes, clock: clock)] in await lag.run() }
            defer { group.cancelAll() }
            try await application.run()
        }
    }

    private func scrape() -> Response {
        let samples = metrics.samples() + status.snapshot().metrics + ProcessFigures.samples()
        return Response(
            status: .ok,
            headers: [.contentType: PrometheusText.contentType],
            body: .init(byteBuffer: ByteBuffer(string: PrometheusText.write(samples)))
        )
    }

    private func ready() -> Response {
        let reasons = health.reasons
        return Self.response(
            reasons.isEmpty ? .ok : .serviceUnavailable,
            [
                "ready": .bool(reasons.isEmpty), "reasons": .array(reasons.map { .string($0) }),
                "owns": .array(health.owns.map { .string("\($0)") }),
                "paused": .array(health.paused.map { .string("\($0)") }),
                "down": .array(health.down.map { .string($0) }),
            ]
        )
    }

    private func live() async -> Response {
        let finding = await liveness.look()
        return Self.response(
            finding.isLive ? .ok : .serviceUnavailable,
            [
                "live": .bool(finding.isLive), "stalled": .array(finding.stalled.map { .string($0) }),
                "stuck": .array(finding.stuck.map { .string("\($0)") }),
            ]
        )
    }

    private static func response(_ status: HTTPResponse.Status, _ body: JSONValue) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: body.bytes))
        )
    }
}
