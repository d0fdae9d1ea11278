import ArgumentParser
import ConsentContract
import ConsentWorker

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Has the workers go on with an application that was paused."
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The application's ID.")
    var application: GUID

    func run() async throws {
        try await BrokerSession.run(options.load()) { session in
            let isNews = try await PauseSwitch(of: application, on: session.connection).resume()
            Terminal.say(isNews ? "Resumed \(application)." : "\(application) was not paused.")
        }
    }
}
