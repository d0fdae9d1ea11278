import ArgumentParser
import ConsentContract
import ConsentWorker

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Has all workers start nothing more for an application until it is resumed.",
        discussion: """
            Commands stay in their queue, in order; those under way are finished. It holds through restarts of workers \
            and broker.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The application's ID.")
    var application: GUID

    func run() async throws {
        try await BrokerSession.run(options.load()) { session in
            let isNews = try await PauseSwitch(of: application, on: session.connection).pause()
            Terminal.say(isNews ? "Paused \(application)." : "\(application) was paused already.")
        }
    }
}
