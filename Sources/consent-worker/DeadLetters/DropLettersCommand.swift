import AMQP
import ArgumentParser
import ConsentContract
import ConsentWorker
import JSON
import Resilience

struct DropLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Removes dead letters for good. Their commands are not carried out any more.",
        discussion: "Needs a filter or --all. Letters that come while it runs stay."
    )

    @OptionGroup var letters: LetterFilterOptions

    @Flag(help: "Drop all letters that no filter keeps.")
    var all = false

    @Flag(help: "Only say which letters would be dropped.")
    var dryRun = false

    @Flag(help: "Say it as JSON: with --dry-run one object for each letter, then the summary.")
    var json = false

    func validate() throws {
        if letters.filter.isEmpty && !all {
            throw ValidationError("Name the letters to drop by a filter, or drop all of them with --all.")
        }
    }

    func run() async throws {
        let configuration = try letters.options.load()
        try await Interrupt.run { interrupt in
            try await BrokerSession.run(configuration) { session in
                try await drop(session.connection, interrupt)
            }
        }
    }

    private func drop(_ connection: AMQPConnection, _ interrupt: DrainSignal) async throws {
        try await LetterQueue.waitForOthers(connection)
        var drop = LetterDrop(filter: letters.filter, limit: letters.limit ?? .max, interrupt: interrupt)
        if dryRun {
            try await drop.look(connection)
            let found = drop.found
            if !found.isEmpty {
                let table = TextTable(found, at: drop.now).text
                Terminal.say(json ? found.map(\.json.text).joined(separator: "\n") : table)
            }
        } else {
            try await drop.run(connection)
        }
        report(drop)
        if let note = drop.note { Terminal.complain(note) }
        if drop.isInterrupted { throw ExitCode.timedOut }
    }

    private func report(_ drop: LetterDrop) {
        let count = dryRun ? drop.found.count : drop.dropped
        if json {
            let summary: JSONValue = [
                "dropped": JSONValue(drop.dropped), "matching": JSONValue(drop.matching), "dryRun": .bool(dryRun),
                "interrupted": .bool(drop.isInterrupted),
            ]
            Terminal.say(summary.text)
        } else if drop.matching > 0 {
            Terminal.say(dryRun ? "\(count) would be dropped." : "Dropped \(count) of \(drop.matching) that match.")
        }
        if drop.matching == 0 { LetterQueue.say(nothingMatches: drop.waiting) }
    }
}
