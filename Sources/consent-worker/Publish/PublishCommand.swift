import ArgumentParser

struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publishes one command and, with --wait, shows its result event.",
        subcommands: [PublishGrantCommand.self, PublishRevokeCommand.self, PublishQueryCommand.self]
    )
}
