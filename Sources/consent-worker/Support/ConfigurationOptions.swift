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
    func load() throws -> Configuration {
        do throws(ConfigurationError) {
            return try read()
        } catch {
            Terminal.complain("\(error)")
            throw ExitCode.configuration
        }
    }
}
