import ArgumentParser
import ConsentWorker
import FoundationEssentials

struct ConfigurationOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The configuration file.")
    var config = "consent-worker.yaml"

    func read() throws(ConfigurationError) -> Configuration {
        try ConfigurationLoader.load(file: config, environment: ProcessInfo.processInfo.environment)
    }

    /// The configuration, or every fault on standard error and exit code 78.
    func load() throws -> Configuration { try explaining(read) }

    /// Only where the admin listener is, whatever the rest says.
    func loadAdmin() throws -> Configuration.Admin {
        try explaining { () throws(ConfigurationError) in
            try ConfigurationLoader.admin(file: config, environment: ProcessInfo.processInfo.environment)
        }
    }

    private func explaining<Value>(_ body: () throws(ConfigurationError) -> Value) throws -> Value {
        do throws(ConfigurationError) {
            return try body()
        } catch {
            Terminal.complain("\(error)")
            throw ExitCode.configuration
        }
    }
}
