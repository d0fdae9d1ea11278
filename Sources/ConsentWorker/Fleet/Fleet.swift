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
        var pauseHandlers: [GUID: @Sendable (API, ContinuousClock.Instant) -> Void] = [:]
        var operatorPauses: [GUID: OperatorPause] = [:]
        var claims = 0
        var report: @Sendable () -> JSONValue? = { nil }
    }

    private struct PauseKey: Hashable {
        let api: API
        let applicationID: GUID
    }

    let pod: String
    private let publisher: ConfirmedPublisher
    private let clock: any MonotonicClock
    private let logger: Logger
    private let state: NIOLockedValueBox<State>

    init(
        pod: String,
        publisher: ConfirmedPublisher,
        clock: any MonotonicClock,
        logger: Logger
    ) {
        self.pod = pod
        self.publisher = publisher
        self.clock = clock
        self.logger = logger
        state = NIOLockedValueBox(State(membership: Membership(pod: pod)))
    }

    /// - Parameter owned: the applications that have an owner.
    func setApplications(owned: Set<GUID>) {
        state.withLockedValue { $0.membership.applications = owned }
        levelOut()
    }

    /// A number that this process has not used before.
    func nextClaim() -> Int {
        state.withLockedValue { state in
            state.claims += 1
            return state.claims
        }
    }

    /// Takes part over this connection until it ends or the task is cancelled.
    func run(on connection: AMQPConnection) async throws {
        let consumer = try await listen(on: connection)
        say(.hello)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                guard let consumer else { throw try await connection.waitUntilClosed() }
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

    /// nil where the user may not have a queue of its own: then this pod speaks and does not hear.
    private func listen(on connection: AMQPConnection) async throws(AMQPError) -> AMQPConsumer? {
        let channel = try await connection.openChannel()
        // A name of our own, for permissions; another each time, as the broker may still hold the last one's.
        let queue = AMQPQueue(
            "\(Topology.Name.control).\(pod).\(UInt32.random(in: .min ... .max))",
            durable: false,
            exclusive: true,
            autoDelete: true
        )
        do {
            try await channel.declare(queue)
            try await channel.bind(AMQPBinding(queue: queue.name, exchange: Topology.Name.control, routingKey: ""))
            return try await channel.consume(queue.name)
        } catch {
            guard error.replyCode == AMQPReplyCode.accessRefused else { throw error }
            logger.warning(
                "does not hear other pods: applications are not levelled out, 429s of others not heeded",
                metadata: ["grantConfigure": "^consent\\.control\\.", "error": "\(error)"]
            )
            return nil
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

    /// The pods that were heard of lately, this one included.
    var roster: [StatusSnapshot.Pod] {
        state.withLockedValue { $0.membership.roster }.map {
            StatusSnapshot.Pod(name: $0.pod, owns: $0.owns, isThisOne: $0.pod == pod)
        }
    }

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

    /// Has `pause` called for every pause of the application that another pod was asked for.
    func onPause(of application: GUID, _ pause: @escaping @Sendable (API, ContinuousClock.Instant) -> Void) {
        state.withLockedValue { $0.pauseHandlers[application] = pause }
    }

    /// Tells the others that the API wants no request of the application until then.
    func announcePause(_ api: API, _ application: GUID, until end: ContinuousClock.Instant) {
        note(PauseKey(api: api, applicationID: application), end)
        say(.pause(.init(api: api, applicationID: application, remaining: end - clock.now)))
    }

    /// For how much longer the API wants no request of the application; nil while it takes them.
    func pause(of application: GUID, _ api: API) -> Duration? {
        let end = state.withLockedValue { $0.pauses[PauseKey(api: api, applicationID: application)] }
        return end.flatMap { [now = clock.now] in $0 > now ? $0 - now : nil }
    }

    private func note(_ key: PauseKey, _ end: ContinuousClock.Instant) {
        state.withLockedValue { $0.pauses[key] = max($0.pauses[key] ?? end, end) }
    }

    private func pause(_ pause: ControlMessage.Pause) {
        let end = clock.now + pause.remaining
        note(PauseKey(api: pause.api, applicationID: pause.applicationID), end)
        state.withLockedValue { $0.pauseHandlers[pause.applicationID] }?(pause.api, end)
    }

    /// The operator's pause of an application; it hears of changes.
    func operatorPause(of application: GUID) -> OperatorPause {
        let pause = OperatorPause(of: application, clock: clock)
        state.withLockedValue { $0.operatorPauses[application] = pause }
        return pause
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

    /// Has `report` make what this pod answers to those who ask what it does.
    func onStatusRequest(_ report: @escaping @Sendable () -> JSONValue?) {
        state.withLockedValue { $0.report = report }
    }

    private func answer(to queue: String) {
        guard let report = state.withLockedValue({ $0.report })() else { return }
        var properties = AMQPProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 1
        publisher.offer(
            AMQPMessage(exchange: "", routingKey: queue, mandatory: false, properties: properties, body: report.bytes)
        )
    }

    private func receive(_ delivery: AMQPDelivery) {
        guard case .complete(let body) = delivery.body, let json = try? JSONParser.parse(body),
            let peer = json["pod"]?.string, peer != pod, let message = ControlMessage(json)
        else { return }
        let now = clock.now
        switch message {
        case .hello:
            state.withLockedValue { $0.membership.heard(peer, at: now) }
            announce()
        case .operatorPause(let application):
            state.withLockedValue { $0.operatorPauses[application] }?.lookAgain()
        case .status(let queue): answer(to: queue)
        case .goodbye: state.withLockedValue { $0.membership.left(peer) }
        case .pause(let pause): self.pause(pause)
        case .presence(let presence):
            state.withLockedValue { $0.membership.heard(peer, owns: presence.owns, at: now) }
            for pause in presence.pauses { self.pause(pause) }
        }
        levelOut()
    }
}
