import ArgumentParser
import ConsentContract
import ConsentWorker
import FoundationEssentials
import MicrosoftAPI

struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Looks after the partners' refresh tokens.",
        subcommands: [TokensListCommand.self, TokensCheckCommand.self, TokensAddCommand.self]
    )
}

/// Which tokens a command is about.
struct TokenOptions: ParsableArguments {
    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The application's ID; all that are configured by default.")
    var application: GUID?

    func applications() throws -> (Configuration, [Configuration.Application]) {
        let configuration = try options.load()
        let applications = configuration.applications.filter { application == nil || $0.applicationID == application }
        guard !applications.isEmpty else { throw ValidationError("That application is not configured.") }
        return (configuration, applications)
    }
}

struct TokensListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the partners that have a refresh token, with the days left of its 90."
    )

    @OptionGroup var tokens: TokenOptions

    func run() async throws {
        for application in try tokens.applications().1 {
            let store = RefreshTokenStore(directory: application.refreshTokens)
            for partner in store.partners {
                let state = store.entry(of: partner).map { "\($0.daysLeft(at: SystemWallClock().now)) days left" }
                Terminal.say("\(application.applicationID)  \(partner)  \(state ?? "no token in the file")")
            }
        }
    }
}
