import ArgumentParser

@main
struct ConsentWorkerCommand: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "consent-worker",
        abstract: "Carries out consent commands from RabbitMQ against Partner Center and Microsoft Graph.",
        discussion: """
            Exit codes: 0 ok, 1 an outcome other than succeeded, 64 usage, 69 broker unreachable, 75 wait timed out or \
            interrupted, 78 configuration.
            """,
        version: version,
        subcommands: [
            RunCommand.self, CheckConfigCommand.self, DeclareTopologyCommand.self, PublishCommand.self,
            EventsCommand.self, TokensCommand.self, DeadLettersCommand.self,
        ]
    )
}
