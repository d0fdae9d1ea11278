import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import NIOConcurrencyHelpers

/// A backend that publishes at a steady rate through everything: one command at a time, and again with the same ID
/// until its confirm has come. So a command can be in the queue twice, but nothing of its customer's in between.
final class SteadyPublisher: Sendable {
    private struct State {
        var published: [ChaosWorkload.Command] = []
        var repeated = 0
    }

    private let link: BrokerLink
    private let workload: ChaosWorkload
    private let perSecond: Double
    private let state = NIOLockedValueBox(State())

    init(_ link: BrokerLink, _ workload: ChaosWorkload, perSecond: Double) {
        self.link = link
        self.workload = workload
        self.perSecond = perSecond
    }

    /// All that are confirmed, in their order in the queues.
    var published: [ChaosWorkload.Command] { state.withLockedValue { $0.published } }

    /// How often a command was published again, because its confirm did not come.
    var repeated: Int { state.withLockedValue { $0.repeated } }

    func run(until end: ContinuousClock.Instant) async throws {
        var workload = workload
        var unconfirmed: ChaosWorkload.Command?
        try await link.run { connection in
            let channel = try await connection.openChannel()
            try await channel.selectConfirms()
            var due = ContinuousClock.now
            while unconfirmed != nil || ContinuousClock.now < end {
                if unconfirmed != nil { state.withLockedValue { $0.repeated += 1 } }
                let command = unconfirmed ?? workload.next()
                unconfirmed = command
                let outcome = try await channel.publish(Self.message(command, workload.body(of: command).bytes))
                guard outcome == .confirmed else { throw TestFailure("no queue took a command: \(outcome)") }
                unconfirmed = nil
                state.withLockedValue { $0.published.append(command) }
                // What could not be published in time is not made up for: backends wait too.
                due = max(due + .seconds(1 / perSecond), .now)
                try await Task.sleep(until: due)
            }
        }
    }

    private static func message(_ command: ChaosWorkload.Command, _ body: [UInt8]) -> AMQPMessage {
        var properties = AMQPProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 2
        properties.correlationID = "\(command.id)"
        return AMQPMessage(
            exchange: Topology.Name.commands,
            routingKey: "\(command.application).\(command.customer)",
            properties: properties,
            body: body
        )
    }
}
