import ArgumentParser
import JSON

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Shows result events as they come, until interrupted."
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "Which events: <command>.<outcome>.<applicationId>, * for one word, # for any number.",
            valueName: "routing-key"
        )
    )
    var key = "#"

    @Option(help: "End after this many events.")
    var count: Int?

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() async throws {
        let configuration = try options.load()
        try await BrokerSession.run(configuration) { session in
            let events = try await EventSubscription(session.connection, routingKeys: [key])
            if !json { Terminal.say("Waiting for events \(key); Ctrl-C ends.") }
            var seen = 0
            try await events.forEach { event in
                Terminal.say(json ? event.json.text : event.summary)
                seen += 1
                return count.map { seen < $0 } ?? true
            }
        }
    }
}
