import ArgumentParser

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Looks at commands that failed or were rejected, replays or drops them.",
        discussion: """
            All of it works on the queue consent.dead-letters, by filters that must all fit. Nothing is taken off the queue \
            by looking: what was read goes back in its order. While one of these commands reads the queue, another sees \
            only what the first does not hold. At most the oldest 65,535 letters are read at a time.

            The broker's user needs to read consent.dead-letters, and for replay to write consent.commands.

            Exit codes: 0 ok, also if nothing matches; 64 usage; 69 broker unreachable; 75 interrupted, or another reader \
            holds the letters; 78 configuration.
            """,
        subcommands: [
            ListLettersCommand.self, ShowLettersCommand.self, ReplayLettersCommand.self, DropLettersCommand.self,
        ]
    )
}
