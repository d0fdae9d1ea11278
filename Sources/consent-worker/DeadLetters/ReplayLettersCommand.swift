import ArgumentParser

struct ReplayLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Publishes the commands of dead letters again, each as a new try, and removes the letters.",
        discussion: """
            Each command goes its normal way again: to consent.commands, behind what waits there, with its correlation \
            ID and the next generation, so that its event and its requests to Microsoft have new IDs. Letters of one customer \
            keep their order. A command whose deadline has passed ends as expired.

            A letter is removed only after the broker has confirmed the command, so the replay may be interrupted at any time: \
            SIGINT and SIGTERM end it between two letters (exit code 75), a second one at once. Killed between confirm and \
            removal, it leaves the letter, and the next replay publishes the command again with the same generation: it has \
            the same event ID, and Microsoft sees the same request ID, so that does no harm.

            If a command has several letters, the one with the highest generation (the first of these) is replayed; others \
            of the same command with the same body are removed once it is confirmed, whether they match or not. If that one does \
            not match, none of them is replayed.

            Skipped, with the reason in the summary, is what has no valid command in it or had a routing key that \
            contradicted it: only the publisher can put that right.

            More letters than the broker lets one hold for long are replayed in several rounds. What fails again meanwhile is \
            not replayed a second time.
            """
    )

    @OptionGroup var letters: LetterFilterOptions

    @Option(help: "Commands a second.")
    var rate = 10.0

    @Flag(help: "Only say what would be done with each letter.")
    var dryRun = false

    @Flag(help: "Say it as JSON: with --dry-run one object for each letter, then the summary.")
    var json = false

    func validate() throws {
        guard rate > 0, rate <= 10_000 else { throw ValidationError("--rate must be above 0 and at most 10000.") }
    }

    func run() async throws {
        let configuration = try letters.options.load()
        try await Interrupt.run { interrupt in
            try await BrokerSession.run(configuration) { session in
                try await LetterQueue.waitForOthers(session.connection)
                var replay = LetterReplay(
                    filter: letters.filter,
                    limit: letters.limit,
                    rate: rate,
                    isDryRun: dryRun,
                    asJSON: json,
                    interrupt: interrupt
                )
                do {
                    try await replay.run(on: session.connection)
                } catch {
                    // What has been done is told in any case.
                    replay.report()
                    throw error
                }
                replay.report()
                if replay.isInterrupted { throw ExitCode.timedOut }
            }
        }
    }
}
