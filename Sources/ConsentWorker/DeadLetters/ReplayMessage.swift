package import AMQP
import ConsentContract

/// What a replay publishes.
package enum ReplayMessage {
    /// Why a letter cannot be replayed.
    package struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// The publisher's message as a new try: with the next generation, so that its event and its requests have IDs of
    /// their own, and without what worker and broker added.
    package static func make(
        _ properties: AMQPProperties,
        _ body: AMQPDelivery.Body
    ) throws(Refusal) -> AMQPMessage {
        let letter = KeptLetter(properties: properties, body: body)
        guard properties.headers[DeadLetter.Header.bodyBytes] == nil, case .complete(let bytes) = body else {
            throw Refusal(description: "its body was too large to be kept")
        }
        guard letter.category != ErrorCategory.routingKeyMismatch.rawValue else {
            // Which customer was meant cannot be known.
            throw Refusal(description: "its routing key contradicted its body; the publisher has to publish it again")
        }
        let command: Command
        do throws(Rejection) {
            command = try CommandDecoder.decode(bytes)
        } catch {
            throw Refusal(description: "no valid command (\(error.category.rawValue)); the publisher has to correct it")
        }
        var replayed = properties
        replayed.deliveryMode = 2
        replayed.headers = properties.headers.filter { !$0.key.hasPrefix("x-") && !$0.key.hasPrefix("consent-") }
        let generation = letter.generation < Int.max ? letter.generation + 1 : Int.max
        replayed.headers[ReceivedMessage.generationHeader] = .int(Int64(generation))
        return AMQPMessage(
            exchange: Topology.Name.commands,
            routingKey: "\(command.applicationID).\(command.customerID)",
            mandatory: true,
            properties: replayed,
            body: bytes
        )
    }
}
