import AMQP
import ArgumentParser
import ConsentContract
import ConsentWorker
import JSON

struct ShowLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows dead letters with everything: the error and what to do about it, headers, body.",
        discussion: """
            Needs a filter or --limit. Members and headers whose name says that they are secret (token, password, \
            authorization and their like) are hidden.
            """
    )

    @OptionGroup var letters: LetterFilterOptions

    @Flag(help: "One JSON object a line.")
    var json = false

    func validate() throws {
        if letters.filter.isEmpty && letters.limit == nil {
            throw ValidationError("Name the letters to show, for example with --command-id.")
        }
    }

    func run() async throws {
        let configuration = try letters.options.load()
        let filter = letters.filter
        let limit = letters.limit ?? .max
        let now = SystemWallClock().now
        try await BrokerSession.run(configuration) { session in
            var found: [LetterDetails] = []
            var bytes = 0
            var further = 0
            let reading = try await LetterQueue.look(session.connection) { delivery in
                let letter = KeptLetter(properties: delivery.properties, body: delivery.body)
                guard found.count < limit, filter.matches(letter, at: now) else { return }
                guard bytes < LetterQueue.heldBytes else { return further += 1 }
                bytes += letter.bodyBytes + delivery.properties.headers.approximateBytes
                found.append(LetterDetails(properties: delivery.properties, body: delivery.body))
            }
            if let note = reading.note { Terminal.complain(note) }
            guard !found.isEmpty else { return LetterQueue.say(nothingMatches: reading.waiting) }
            Terminal.say(found.map { json ? $0.json.text : $0.text }.joined(separator: json ? "\n" : "\n\n"))
            if further > 0 { Terminal.complain("\(further) more match; narrow the filter to see them") }
        }
    }
}
