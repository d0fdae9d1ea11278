import AMQP
import ArgumentParser
import ConsentContract
import ConsentWorker
import JSON
import Resilience

/// What every kind of command has in common on the command line.
struct PublishOptions: ParsableArguments {
    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The partner's tenant ID.")
    var partner: GUID

    @Option(help: "The customer's ID.")
    var customer: GUID

    @Option(help: "The application's ID; may be left out where one is configured.")
    var application: GUID?

    @Option(help: "The command's ID; a new one by default. The same ID again is the same command.")
    var commandID: GUID?

    @Option(help: "Echoed in the result event; the command's ID by default.")
    var correlationID: String?

    @Option(help: "RFC 3339 time after which the command is not to be carried out.")
    var deadline: String?

    @Option(help: "Who asked for it, for the record.")
    var requestedBy: String?

    @Flag(help: "Show the requests that would be sent, and send none.")
    var dryRun = false

    @Flag(help: "Wait for the result event and print it.")
    var wait = false

    @Option(help: "How many seconds to wait.")
    var timeout = 60

    @Flag(help: "Print the event as JSON.")
    var json = false

    /// Publishes the command with `members` of its kind; waits for its event if asked to.
    func publish(_ kind: CommandKind, _ members: [(String, JSONValue)]) async throws {
        let configuration = try options.load()
        guard let application = application ?? configuration.onlyApplication else {
            throw ValidationError("Several applications are configured; name one with --application.")
        }
        let commandID = commandID ?? .random()
        let correlationID = correlationID ?? commandID.description
        let body = body(kind, application, commandID, members)
        // What the worker would refuse is said here, before it travels.
        do throws(Rejection) {
            _ = try CommandDecoder.decode(body)
        } catch {
            throw ValidationError(error.faults.map { "\($0.pointer): \($0.reason)" }.joined(separator: "\n"))
        }
        var properties = AMQPProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 2
        properties.correlationID = correlationID
        properties.messageID = commandID.description
        let message = AMQPMessage(
            exchange: Topology.Name.commands,
            routingKey: "\(application).\(customer)",
            properties: properties,
            body: body
        )
        try await BrokerSession.run(configuration) { session in
            let events = wait ? try await EventSubscription(session.connection, of: kind, application) : nil
            let channel = try await session.connection.openChannel()
            try await channel.selectConfirms()
            if case .returned(let reason) = try await channel.publish(message) {
                Terminal.complain(
                    "no queue takes the command (\(reason)); start a worker or run declare-topology first"
                )
                throw ExitCode.unreachable
            }
            guard let events else {
                return Terminal.say("Published \(kind.rawValue) \(commandID).")
            }
            try await show(events.first(within: .seconds(timeout)) { $0.correlationID == correlationID })
        }
    }

    private func show(_ event: ReceivedEvent?) throws {
        guard let event else {
            Terminal.complain(
                "no event came within \(timeout) s; the command stays in its queue until a worker takes it"
            )
            throw ExitCode.timedOut
        }
        Terminal.say(json ? event.json.text : event.summary)
        if event.outcome != Outcome.succeeded.rawValue { throw ExitCode.outcome }
    }

    private func body(
        _ kind: CommandKind,
        _ application: GUID,
        _ commandID: GUID,
        _ members: [(String, JSONValue)]
    ) -> [UInt8] {
        var object = JSONObject()
        object.append("contract", "1")
        object.append("command", .string(kind.rawValue))
        object.append("commandId", .string(commandID.description))
        object.append("partnerTenantId", .string(partner.description))
        object.append("customerId", .string(customer.description))
        object.append("applicationId", .string(application.description))
        object.append("issuedAt", .string(SystemWallClock().now.description))
        if let deadline { object.append("deadline", .string(deadline)) }
        if let requestedBy { object.append("requestedBy", .string(requestedBy)) }
        if dryRun { object.append("dryRun", true) }
        for (name, value) in members { object.append(name, value) }
        return JSONValue.object(object).bytes
    }
}

extension Configuration {
    fileprivate var onlyApplication: GUID? { applications.count == 1 ? applications[0].applicationID : nil }
}

extension GUID: ExpressibleByArgument {
    /// Reads a GUID as the command line gives it.
    public init?(argument: String) { self.init(argument) }
}
