import ArgumentParser
import ConsentWorker
import Glibc
import HTTP

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks the worker on this machine whether it lives, for health checks of containers.",
        discussion: "Ends with 0 if so, else with 1. Of the configuration only admin.listen matters."
    )

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Ask whether it takes commands.")
    var ready = false

    func run() async throws {
        let admin = try options.loadAdmin()
        guard admin.port != 0 else {
            Terminal.complain("admin.listen takes any free port; give it one that can be asked")
            throw ExitCode.configuration
        }
        // A proxy for requests to Microsoft does not lead back to this machine.
        setenv("no_proxy", "*", 1)
        let client = HTTPClient()
        let result = await Self.ask(client, admin, ready ? "readyz" : "livez")
        await client.shutdown()
        switch result {
        case .success(let response):
            Terminal.say(String(decoding: response.body, as: UTF8.self))
            guard response.status == 200 else { throw ExitCode.outcome }
        case .failure(let error):
            Terminal.complain("no worker answers at admin.listen, \(admin.host):\(admin.port): \(error)")
            throw ExitCode.outcome
        }
    }

    /// Linux takes the address of all interfaces, which it may listen on, for its own.
    private static func ask(_ client: HTTPClient, _ admin: Configuration.Admin, _ path: String) async
        -> Result<HTTPResponse, HTTPError>
    {
        let host = admin.host.contains(":") && !admin.host.hasPrefix("[") ? "[\(admin.host)]" : admin.host
        do throws(HTTPError) {
            // The worker gives each of its threads three seconds.
            let request = HTTPRequest(.get, "http://\(host):\(admin.port)/\(path)", timeout: .seconds(10))
            return .success(try await client.send(request))
        } catch {
            return .failure(error)
        }
    }
}
