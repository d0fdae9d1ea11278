import AMQP
import Logging
import Resilience

/// Counts the permits now and then where this process is the one to do it; seeds them anew where they are not whole.
struct PermitAuditor: Sendable {
    let source: PermitSource
    let maxHeld: Int
    let interval: Duration
    let isLeader: @Sendable () -> Bool
    /// The marker that permits are served by now.
    let marker: @Sendable () -> PermitMarker?
    let clock: any MonotonicClock
    let logger: Logger

    func run() async throws {
        var census = PermitCensus()
        while true {
            try await clock.sleep(for: interval)
            guard isLeader(), let marker = marker() else {
                census.reset()
                continue
            }
            do {
                guard try await count(marker, &census) else { continue }
                logger.error("too many or too few permits", metadata: ["queue": "\(source.seeder.queues.permits)"])
                try await source.replace(marker)
            } catch  where Task.isCancelled {
                throw CancellationError()
            } catch {
                // Who serves the permits meets the same trouble, and tells.
                census.reset()
            }
        }
    }

    private func count(_ marker: PermitMarker, _ census: inout PermitCensus) async throws -> Bool {
        let channel = try await source.connection.openChannel()
        // In this order a permit on its way to rest may be missed; only on its way back could it count twice.
        let ready = try await channel.declare(AMQPQueue(source.seeder.queues.permits, passive: true))
        let resting = try await channel.declare(AMQPQueue(source.seeder.queues.resting, passive: true))
        try await channel.close()
        return census.counted(
            ready: ready.messages + resting.messages,
            consumers: ready.consumers,
            maxHeld: Int(marker.terms.prefetch(maxHeld: maxHeld)),
            of: marker
        )
    }
}
