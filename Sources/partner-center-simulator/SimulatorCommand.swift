import ArgumentParser
import FoundationEssentials
import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

@main
struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partner-center-simulator",
        abstract: "Simulates Partner Center's applicationconsents, Graph's appConsentRequests and the token endpoint.",
        discussion: """
            All three listen on one port, of loopback unless it is exposed, in plain HTTP or in HTTPS, and keep \
            everything in memory. Without a plan any application, secret, refresh token and customer is accepted; \
            client assertions are verified, and so need a plan with the application's certificate.

            Tests read what arrived under /_sim/arrivals and /_sim/report, preset and read consents under \
            /_sim/state, read which refresh tokens were issued under /_sim/tokens, and inject faults under \
            /_sim/faults. Options given here win over those of the plan.
            """
    )

    @Option(help: "The address to listen on, of loopback.")
    var host = "127.0.0.1"

    @Flag(help: "Take another address than loopback too, for a network that nobody else reaches.")
    var exposed = false

    @Option(help: "The port; 0 takes a free one.")
    var port = 0

    @Option(help: "A file to write the port to once the simulator listens.", completion: .file())
    var portFile: String?

    @Option(help: "A JSON file with applications, partners, customers, faults and settings.", completion: .file())
    var plan: String?

    @OptionGroup(title: "TLS")
    var tls: TLSOptions

    @OptionGroup(title: "Behaviour")
    var behaviour: BehaviourOptions

    func validate() throws {
        // A name like 127.example.com is no address.
        let isIPv4Loopback = host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
        guard exposed || isIPv4Loopback || host == "::1" || host == "localhost" else {
            throw ValidationError(
                "'\(host)' is no loopback address, and the simulator accepts anybody's secrets; --exposed allows it."
            )
        }
        guard (0...65535).contains(port) else { throw ValidationError("'\(port)' is no port.") }
    }

    func run() async throws {
        Termination.endProcessOnSignals()
        let plan = try loadPlan()
        let stalls = StallDetector()
        let settings = behaviour.settings(over: plan)
        let simulator = Simulator(plan: plan, settings: settings, scheme: tls.scheme, stalls: stalls)
        let context = loadTLS()

        // One thread does nothing but read, stamp, and write: the routes run on Swift's own threads.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        stalls.watch(group.next())
        let channel = StampingHTTPChannel(tls: context) { request, writer, channel in
            try await simulator.respond(to: request, writer: writer, channel: channel)
        }
        let server = channel.server(
            configuration: ServerConfiguration(address: .hostname(host, port: port), backlog: 1024),
            onServerRunning: { channel in announce(channel) },
            eventLoopGroup: group,
            logger: Logger(label: "partner-center-simulator") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            try await server.run()
        } catch let error as IOError {
            Termination.fail("Cannot listen on \(host):\(port): \(error.description)")
        }
    }

    private func loadPlan() throws -> SimulationPlan {
        guard let plan else { return try JSONText.decode(SimulationPlan.self, from: Data("{}".utf8)) }
        do {
            return try SimulationPlan.load(from: plan)
        } catch {
            throw ValidationError("The plan \(plan) is not usable: \(JSONText.explain(error))")
        }
    }

    private func loadTLS() -> NIOSSLContext? {
        do throws(TLSOptions.Unusable) {
            return try tls.context()
        } catch {
            Termination.fail(error.message, status: EX_USAGE)
        }
    }

    private func announce(_ channel: any Channel) {
        guard let port = channel.localAddress?.port else { return }
        do {
            if let portFile { try PortFile.write(port: port, to: portFile) }
        } catch {
            Termination.fail("Cannot write the port file: \(error)")
        }
        let shownHost = host.contains(":") ? "[\(host)]" : host
        Termination.printLine("partner-center-simulator listening on \(tls.scheme)://\(shownHost):\(port)")
    }
}
