import AMQP
import ArgumentParser
import ConsentContract
import ConsentWorker
import JSON

struct ListLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists dead letters, the oldest first."
    )

    @OptionGroup var letters: LetterFilterOptions

    @Flag(help: "One JSON object a line, with more members than the table has columns.")
    var json = false

    func run() async throws {
        let configuration = try letters.options.load()
        let filter = letters.filter
        let limit = letters.limit ?? .max
        let now = SystemWallClock().now
        try await BrokerSession.run(configuration) { session in
            var found: [KeptLetter] = []
            let reading = try await LetterQueue.look(session.connection) { delivery in
                guard found.count < limit else { return }
                let letter = KeptLetter(properties: delivery.properties, body: delivery.body)
                if filter.matches(letter, at: now) { found.append(letter) }
            }
            if let note = reading.note { Terminal.complain(note) }
            guard !found.isEmpty else { return LetterQueue.say(nothingMatches: reading.waiting) }
            Terminal.say(json ? found.map(\.json.text).joined(separator: "\n") : TextTable(found, at: now).text)
        }
    }
}
