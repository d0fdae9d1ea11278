import AMQP
import ArgumentParser
import ConsentWorker
import JSON

struct DeclareTopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "declare-topology",
        abstract: "Declares the exchanges and queues that the worker works on.",
        discussion: """
            The worker does the same when it starts; this is for operators who give it a user that may not declare. \
            It also makes the fleet agree on a changed `ordering` or `prefetch`, while no worker runs and the application's \
            queue is empty. \
            Keep policies that match everything (TTL, max-length, expires) off consent.*: they would drop commands. What \
            --print shows has policies that do so.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    @Flag(name: .long, help: "Print the topology as RabbitMQ definitions instead of declaring it.")
    var print = false

    func run() async throws {
        let configuration = try options.load()
        let topology = Topology(configuration.applications)
        if print {
            Terminal.say(topology.definitions(virtualHost: configuration.brokers[0].virtualHost).text)
            return
        }
        try await BrokerSession.run(configuration) { session in
            let refusals = try await FleetAgreement(configuration).impose(on: session.connection)
            guard refusals.isEmpty else {
                for refusal in refusals {
                    Terminal.complain("\(refusal). Stop the workers and let the queue run empty first.")
                }
                throw ExitCode.configuration
            }
        }
        Terminal.say("Declared \(topology.exchanges.count) exchanges and \(topology.queues.count) queues.")
    }
}
