import AMQP
import ArgumentParser
import ConsentWorker
import JSON
import Resilience

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what waits, who works on it, and what is wrong, over all workers.",
        discussion: "Queues are asked of the broker, everything else of the workers, which answer over the broker."
    )

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print one JSON object, with all that each worker says of itself.")
    var json = false

    @Option(help: "How many seconds workers may take to answer.")
    var timeout = 2

    func run() async throws {
        guard (1...600).contains(timeout) else { throw ValidationError("--timeout is from 1 to 600") }
        let configuration = try options.load()
        try await BrokerSession.run(configuration) { session in
            let report = try await FleetReport.ask(
                configuration,
                on: session.connection,
                patience: .seconds(timeout)
            )
            let categories = try await DeadLetterCategories.count(report.deadLetters, on: session.connection)
            Terminal.say(
                json ? report.json(categories).text : ReportText(report: report, categories: categories).text
            )
        }
    }
}
