import AMQP
import ConsentContract
import Logging
import Resilience
import ServiceLifecycle
import Tracing

/// Answers commands that no application's queue was bound for: every one is rejected, with the reason.
struct UnroutableWorker: Sendable {
    let connection: AMQPConnection
    let configured: @Sendable () -> Set<GUID>
    let settlement: Settlement
    let tracer: (any Tracer)?
    let clock: any MonotonicClock
    let wallClock: any WallClock

    private static let prefetch: UInt16 = 50

    func run() async throws {
        let channel = try await connection.openChannel()
        try await channel.setPrefetch(Self.prefetch)
        let consumer = try await channel.consume(Topology.Name.unroutable)
        try await withGracefulShutdownHandler {
            for try await batch in consumer.deliveries {
                for delivery in batch { try await answer(delivery) }
            }
        } onGracefulShutdown: {
            Task { await consumer.endDeliveries() }
        }
        try await channel.synchronize()
    }

    private func answer(_ delivery: AMQPDelivery) async throws {
        settlement.status[nil].received()
        let message = ReceivedMessage(
            delivery: delivery,
            receivedAt: clock.now,
            receivedTime: wallClock.now,
            session: Session(lease: nil),
            tracer: tracer,
            clock: clock
        )
        try await settlement.settle(CommandAdmission.refusal(of: delivery, configured: configured()), message)
    }
}
