import AMQP
import NIOConcurrencyHelpers
import Resilience

/// Serves permits over one channel, until the channel or the task ends.
final class PermitSession: Sendable {
    private typealias Desk = PermitDesk<Arrival>

    /// A permit and the message that it came as.
    private struct Arrival: Sendable {
        let permit: HeldPermit
        let delivery: AMQPDelivery
    }

    private struct State {
        var desk: Desk
        var isOpen = true
        /// Why the consumer ended, unless it was cancelled here.
        var end: (any Error)?
    }

    private struct Subscription {
        let consumer: AMQPConsumer
        let reader: Task<Void, Never>
    }

    private let channel: AMQPChannel
    private let queues: PermitQueues
    private let marker: PermitMarker
    private let prefetch: UInt16
    private let demand: PermitDemand
    private let tally: PermitTally
    private let clock: any MonotonicClock
    private let state: NIOLockedValueBox<State>

    init(
        channel: AMQPChannel,
        queues: PermitQueues,
        marker: PermitMarker,
        maxHeld: Int,
        demand: PermitDemand,
        tally: PermitTally,
        timings: PermitTimings,
        clock: any MonotonicClock
    ) {
        self.channel = channel
        self.queues = queues
        self.marker = marker
        prefetch = marker.terms.prefetch(maxHeld: maxHeld)
        self.demand = demand
        self.tally = tally
        self.clock = clock
        state = NIOLockedValueBox(State(desk: Desk(marker, timings: timings, now: clock.now)))
    }

    /// - Parameters:
    ///   - connection: the channel's, told to end at a pause of the process while permits are consumed.
    ///   - lookUp: reads the marker; returns nil if it is not the one that this session was made for.
    /// - Throws: `AMQPError` when the channel ends or the broker cancels the consumer; `CancellationError`.
    /// - Returns: when the permits are of another seeding than this session's.
    func run(on connection: AMQPConnection, readyAt: ContinuousClock.Instant, lookUp: () async throws -> PermitMarker?)
        async throws
    {
        var subscription: Subscription?
        do {
            try await channel.setPrefetch(prefetch)
            try await serve(connection, readyAt, &subscription, lookUp)
        } catch {
            await leave(connection, subscription)
            throw error
        }
        await leave(connection, subscription)
    }

    private func serve(
        _ connection: AMQPConnection,
        _ readyAt: ContinuousClock.Instant,
        _ subscription: inout Subscription?,
        _ lookUp: () async throws -> PermitMarker?
    ) async throws {
        var stroke: OneShot<Bool>?
        while true {
            try Task.checkCancellation()
            let now = clock.now
            let wantedFrom = demand.wantedFrom(now).map { max($0, readyAt) }
            let (step, end) = state.withLockedValue { ($0.desk.next(at: now, wantedFrom: wantedFrom), $0.end) }
            if let end { throw end }
            switch step {
            case .handOut(let arrival, let until): handOut(arrival, until)
            case .giveBack(let arrival): arrival.permit.giveBack()
            case .takeAway(let arrival): arrival.delivery.ack()
            case .look:
                guard let current = try await lookUp() else { return }
                state.withLockedValue { $0.desk.adopt(epoch: current.epoch) }
            case .prove:
                let asked = clock.now
                try await channel.setPrefetch(prefetch)
                state.withLockedValue { $0.desk.answered(asked: asked) }
            case .subscribe: subscription = try await subscribe(connection)
            case .unsubscribe:
                try await subscription?.consumer.cancel()
                subscription = nil
                await connection.endWatchForPauses()
                state.withLockedValue { $0.desk.unsubscribed() }
                // Cancelling has changed it on the channel.
                try await channel.setPrefetch(prefetch)
            case .wait(let until):
                // Armed first, then looked once more.
                guard let armed = stroke else {
                    stroke = demand.bell.arm()
                    continue
                }
                try await Bell.wait(for: armed, until: until, clock: clock)
            }
            stroke = nil
        }
    }

    private func handOut(_ arrival: Arrival, _ until: ContinuousClock.Instant) {
        arrival.permit.lend(until: until)
        if !demand.serve(arrival.permit) { state.withLockedValue { $0.desk.takeBack() } }
    }

    private func subscribe(_ connection: AMQPConnection) async throws -> Subscription {
        let asked = clock.now
        await connection.watchForPauses()
        do {
            let consumer = try await channel.consume(queues.permits)
            state.withLockedValue { $0.desk.subscribed(asked: asked) }
            return Subscription(
                consumer: consumer,
                reader: Task { [self] in
                    do {
                        for try await batch in consumer.deliveries { arrived(batch) }
                    } catch {
                        state.withLockedValue { $0.end = error }
                        demand.bell.ring()
                    }
                }
            )
        } catch {
            await connection.endWatchForPauses()
            throw error
        }
    }

    private func arrived(_ batch: [AMQPDelivery]) {
        let now = clock.now
        state.withLockedValue { state in
            for delivery in batch {
                var epoch: String?
                if case .complete(let body) = delivery.body { epoch = PermitMarker.epoch(ofPermit: body) }
                let arrival = Arrival(permit: permit(delivery), delivery: delivery)
                state.desk.arrived(arrival, epoch: epoch, redelivered: delivery.redelivered, at: now)
            }
        }
        demand.bell.ring()
    }

    private func permit(_ delivery: AMQPDelivery) -> HeldPermit {
        HeldPermit(
            strict: marker.terms.strict,
            clock: clock,
            isUsable: { [self] now in !demand.isPaused(at: now) && state.withLockedValue { $0.isOpen } },
            rest: { [tally] end in
                tally.rested(end)
                // Rests from here on, so never before its use. Not given back to the queue: it would count as redelivered.
                delivery.reject(requeue: false)
            }
        )
    }

    /// What is held and unused is laid to rest; a permit in use ends with its request, or at the broker with the
    /// channel.
    private func leave(_ connection: AMQPConnection, _ subscription: Subscription?) async {
        let held = state.withLockedValue { state in
            state.isOpen = false
            return state.desk.clear()
        }
        for arrival in held { arrival.permit.giveBack() }
        subscription?.reader.cancel()
        if subscription != nil { await connection.endWatchForPauses() }
        // Not waited for: a broker that is slow to answer must hold up nobody's shutdown.
        Task { [channel] in try? await channel.close() }
    }
}
