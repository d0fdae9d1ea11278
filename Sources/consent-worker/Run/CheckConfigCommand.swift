import ArgumentParser
import ConsentWorker

struct CheckConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Reads the configuration and the files it names, and lists every fault."
    )

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        for warning in configuration.warnings { Terminal.complain("warning: \(warning)") }
        let noun = configuration.applications.count == 1 ? "application" : "applications"
        Terminal.say("\(options.config) is valid: \(configuration.applications.count) \(noun).")
    }
}
