import AMQP
import ConsentContract
import JSON
import Logging
import MicrosoftAPI
import NIOConcurrencyHelpers
import Resilience

/// This pod among the others: who is there, who owns what, which pauses the APIs have asked for.
///
/// Nothing that must hold depends on it: messages here may be late or lost. It levels out what pods own, spares the
/// others a 429 that one has met, and tells operators what goes on.
final class Fleet: Sendable {
    private static let interval = Duration.seconds(2)
    /// A token that was passed on and comes back this soon is kept: the others do not want it either.
    private static let passOnce = Duration.seconds(5)

    private struct State {
        var membership: Membership
        var releases: [GUID: DrainSignal] = [:]
        /// The application that is being handed over to level out.
        var leaving: GUID?
        var passed: [GUID: ContinuousClock.Instant] = [:]
        var pauses: [PauseKey: ContinuousClock.Instant] = [:]
    }

    private struct PauseKey: Hashable {
        let api: API
        let applicationID: GUID
    }

    let pod: String
    private let publisher: ConfirmedPublisher
    private let clock: any MonotonicClock
    private let logger: Logger
    private let onPause: @Sendable (API, GUID, ContinuousClock.Instant) -> Void
    private let state: NIOLockedValueBox<State>

    /// - Parameters:
    ///   - owned: the applications that have an owner.
    ///   - onPause: told of every pause that another pod was asked for.
    init(
        pod: String,
        owned applications: Set<GUID>,
        publisher: ConfirmedPublisher,
        clock: any MonotonicClock,
        logger: Logger,
        onPause: @escaping @Sendable (API, GUID, ContinuousClock.Instant) -> Void
    ) {
        self.pod = pod
        self.publisher = publisher
        self.clock = clock
        self.logger = logger
        self.onPause = onPause
        state = NIOLockedValueBox(State(membership: Membership(pod: pod, applications: applications)))
    }

    /// Takes part over this connection until it ends or the task is cancelled.
    func run(on connection: AMQPConnection) async throws {
        let channel = try await connection.openChannel()
        let queue = try await channel.declare(.privateQueue).name
        try await channel.bind(AMQPBinding(queue: queue, exchange: Topology.Name.control, routingKey: ""))
        let consumer = try await channel.consume(queue)
        say(.hello)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await batch in consumer.deliveries {
                    for delivery in batch {
                        self.receive(delivery)
                        delivery.ack()
                    }
                }
            }
            group.addTask {
                while true {
                    self.announce()
                    try await self.clock.sleep(for: Self.interval)
                    self.state.withLockedValue { $0.membership.forgetSilent(at: self.clock.now) }
                    self.levelOut()
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Tells the others that this pod leaves.
    func sayGoodbye() { say(.goodbye) }

    // MARK: - Ownership

    func own(_ application: GUID, _ release: DrainSignal) {
        state.withLockedValue { state in
            state.membership.own(application)
            state.releases[application] = release
        }
        announce()
        levelOut()
    }

    func disown(_ application: GUID) {
        state.withLockedValue { state in
            state.membership.disown(application)
            state.releases[application] = nil
            if state.leaving == application { state.leaving = nil }
        }
        announce()
        levelOut()
    }

    func isOwnedElsewhere(_ application: GUID) -> Bool {
        state.withLockedValue { $0.membership.isOwnedElsewhere(application) }
    }

    /// Whether a token that has just come should go on to the next pod.
    func passesOn(_ application: GUID) -> Bool {
        let now = clock.now
        return state.withLockedValue { state in
            if let last = state.passed[application], now - last < Self.passOnce { return false }
            guard state.membership.isFull else { return false }
            state.passed[application] = now
            return true
        }
    }

    var owned: [GUID] { state.withLockedValue { $0.membership.owned } }

    /// True in one pod of the fleet.
    var isFirst: Bool { state.withLockedValue { $0.membership.isFirst } }

    /// One at a time, so that counts are true again before the next.
    private func levelOut() {
        let release = state.withLockedValue { state -> (GUID, DrainSignal)? in
            guard state.leaving == nil, let application = state.membership.excess,
                let release = state.releases[application]
            else { return nil }
            state.leaving = application
            return (application, release)
        }
        guard let release else { return }
        logger.info("another pod has fewer applications", metadata: ["handsOver": "\(release.0)"])
        release.1.raise()
    }

    // MARK: - Pauses

    /// Tells the others that the API wants no request of the application until then.
    func announcePause(_ api: API, _ application: GUID, until end: ContinuousClock.Instant) {
        note(PauseKey(api: api, applicationID: application), end)
        say(.pause(.init(api: api, applicationID: application, remaining: end - clock.now)))
    }

    private func note(_ key: PauseKey, _ end: ContinuousClock.Instant) {
        state.withLockedValue { $0.pauses[key] = max($0.pauses[key] ?? end, end) }
    }

    private func pause(_ pause: ControlMessage.Pause) {
        let end = clock.now + pause.remaining
        note(PauseKey(api: pause.api, applicationID: pause.applicationID), end)
        onPause(pause.api, pause.applicationID, end)
    }

    // MARK: - Messages

    private func announce() {
        let now = clock.now
        let presence = state.withLockedValue { state in
            state.pauses = state.pauses.filter { $0.value > now }
            return ControlMessage.Presence(
                owns: state.membership.owned,
                pauses: state.pauses.map {
                    .init(api: $0.key.api, applicationID: $0.key.applicationID, remaining: $0.value - now)
                }
            )
        }
        say(.presence(presence))
    }

    private func say(_ message: ControlMessage) { publisher.offer(message.message(from: pod)) }

    private func receive(_ delivery: AMQPDelivery) {
        guard case .complete(let body) = delivery.body, let json = try? JSONParser.parse(body),
            let peer = json["pod"]?.string, peer != pod, let message = ControlMessage(json)
        else { return }
        let now = clock.now
        switch message {
        case .hello:
            state.withLockedValue { $0.membership.heard(peer, at: now) }
            announce()
        case .goodbye: state.withLockedValue { $0.membership.left(peer) }
        case .pause(let pause): self.pause(pause)
        case .presence(let presence):
            state.withLockedValue { $0.membership.heard(peer, owns: presence.owns, at: now) }
            for pause in presence.pauses { self.pause(pause) }
        }
        levelOut()
    }
}
