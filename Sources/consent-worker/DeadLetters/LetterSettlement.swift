import AMQP
import ArgumentParser
import ConsentWorker
import Resilience

/// Takes letters off the queue for good.
enum LetterSettlement {
    /// A quorum queue's client in the broker keeps further acknowledgements back while some 32 are under way, and
    /// forgets them when its channel ends: after more than this many it is looked whether they arrived.
    static let certain = 16
    private static let batch = 64

    /// Acknowledges in batches until interrupted; returns how many.
    static func settle(
        _ deliveries: [AMQPDelivery],
        on channel: AMQPChannel,
        _ interrupt: DrainSignal
    ) async throws -> Int {
        var settled = 0
        for start in stride(from: 0, to: deliveries.count, by: batch) {
            guard !interrupt.isRaised else { break }
            let part = deliveries[start..<min(start + batch, deliveries.count)]
            for delivery in part { delivery.ack() }
            try await channel.synchronize()
            settled += part.count
        }
        return settled
    }
}

extension LetterSettlement {
    /// Publishes a command again; returns when the broker has it.
    static func publish(_ message: AMQPMessage, on channel: AMQPChannel) async throws {
        guard case .returned(let reason) = try await channel.publish(message) else { return }
        Terminal.complain("no queue takes the commands (\(reason)); start a worker or run declare-topology first")
        throw ExitCode.unreachable
    }
}
