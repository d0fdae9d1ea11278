package import ConsentWorker
import Hummingbird
import JSON
package import Logging
import NIOCore
package import Resilience
import ServiceLifecycle

/// The HTTP listener for probes.
///
/// `/livez` says whether the threads turn, never whether something can be reached: a restart mends no broker.
/// `/readyz` says whether commands are being taken, and if not, why.
package struct AdminService: Service, CustomStringConvertible {
    /// A thread that has not turned for this long is stuck.
    package static let stall = Duration.seconds(3)

    private let configuration: Configuration.Admin
    private let health: WorkerHealth
    private let probes: [(name: String, ping: @Sendable () async -> Void)]
    private let clock: any MonotonicClock
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - probes: each returns as soon as its thread has a turn.
    ///   - onListening: told the port.
    package init(
        configuration: Configuration.Admin,
        health: WorkerHealth,
        probes: [(name: String, ping: @Sendable () async -> Void)],
        clock: any MonotonicClock = SystemClock(),
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.health = health
        self.probes = probes
        self.clock = clock
        self.logger = logger
        self.onListening = onListening
    }

    package var description: String { "admin" }

    package func run() async throws {
        let router = Router()
        router.get("livez") { _, _ in await self.live() }
        router.get("readyz") { _, _ in self.ready() }
        // Hummingbird tells at info of every start; that is a debug fact here.
        var logger = logger
        if logger.logLevel == .info { logger.logLevel = .notice }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(configuration.host, port: configuration.port)),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger
        )
        try await application.run()
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
        var stalled: [String] = []
        for probe in probes where await !turns(probe.ping) { stalled.append(probe.name) }
        return Self.response(
            stalled.isEmpty ? .ok : .serviceUnavailable,
            ["live": .bool(stalled.isEmpty), "stalled": .array(stalled.map { .string($0) })]
        )
    }

    /// Tasks of their own: nobody can wait for one that hangs on a stuck thread.
    private func turns(_ ping: @escaping @Sendable () async -> Void) async -> Bool {
        let answer = OneShot<Bool>()
        Task {
            await ping()
            answer.resolve(true)
        }
        let timer = Task { [clock] in
            try await clock.sleep(for: Self.stall)
            answer.resolve(false)
        }
        defer { timer.cancel() }
        return await answer.wait()
    }

    private static func response(_ status: HTTPResponse.Status, _ body: JSONValue) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: body.bytes))
        )
    }
}
