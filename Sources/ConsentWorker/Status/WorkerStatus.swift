package import ConsentContract
import Metrics
import MicrosoftAPI
import NIOConcurrencyHelpers
import RateLimiting
package import Resilience

/// What this pod does, collected from its parts as they tell it.
package final class WorkerStatus: Sendable {
    /// Failures that are kept to be shown.
    static let failures = 20

    private struct State {
        var applications: [Configuration.Application] = []
        /// Also of those that are no longer configured: their counts go on where they come back.
        var activities: [GUID: ApplicationActivity] = [:]
        var fleet: Fleet?
        var breakers: [@Sendable () -> [StatusSnapshot.Breaker]] = []
        var failures: [StatusSnapshot.Failure] = []
    }

    let queues: QueueWatch
    private let health: WorkerHealth
    private let version: String
    private let clock: any MonotonicClock
    private let wallClock: any WallClock
    private let started: ContinuousClock.Instant
    /// What belongs to no application of the configuration.
    private let other: ApplicationActivity
    /// Messages that the broker confirmed, by exchange.
    private let sent: [String: Counter]
    private let state = NIOLockedValueBox(State())

    package init(
        configuration: Configuration,
        health: WorkerHealth,
        version: String,
        clock: any MonotonicClock = SystemClock(),
        wallClock: any WallClock = SystemWallClock()
    ) {
        self.health = health
        self.version = version
        self.clock = clock
        self.wallClock = wallClock
        started = clock.now
        queues = QueueWatch(clock: clock)
        other = ApplicationActivity(application: nil, clock: clock)
        sent = Dictionary(
            uniqueKeysWithValues: [Topology.Name.events, Topology.Name.deadLetters].map { exchange in
                let destination = [("messaging_system", "rabbitmq"), ("messaging_destination_name", exchange)]
                return (exchange, Counter(label: "messaging_client_sent_messages_total", dimensions: destination))
            }
        )
        setApplications(configuration.applications)
    }

    // MARK: - Telling

    /// Notes why a message cannot be told to anybody; nil when it was, or is given up.
    func untold(_ message: String, _ reason: String?) { health.setUntold(message, reason) }

    subscript(application: GUID?) -> ApplicationActivity {
        application.flatMap { id in state.withLockedValue { $0.activities[id] } } ?? other
    }

    /// The applications that this pod is to work on from now on.
    func setApplications(_ applications: [Configuration.Application]) {
        state.withLockedValue { state in
            state.applications = applications
            for application in applications where state.activities[application.applicationID] == nil {
                let id = application.applicationID
                state.activities[id] = ApplicationActivity(application: id, clock: clock)
            }
        }
        queues.names =
            applications.map { Topology.Name.commandQueue($0.applicationID) } + [
                Topology.Name.deadLetters, Topology.Name.unclaimed, Topology.Name.unroutable,
            ]
    }

    func attach(_ fleet: Fleet) {
        state.withLockedValue { $0.fleet = fleet }
        fleet.onStatusRequest { [weak self] in self?.snapshot().json }
    }

    /// Adds breakers, which are asked whenever somebody looks.
    func addBreakers(_ breakers: @escaping @Sendable () -> [StatusSnapshot.Breaker]) {
        state.withLockedValue { $0.breakers.append(breakers) }
    }

    func published(to exchange: String) { sent[exchange]?.increment() }

    /// Takes the end of a command.
    func ended(_ event: ResultEvent) {
        self[event.about.applicationID].ended(event)
        guard let failure = StatusSnapshot.Failure(event) else { return }
        state.withLockedValue { state in
            state.failures.insert(failure, at: 0)
            if state.failures.count > Self.failures { state.failures.removeLast() }
        }
    }

    // MARK: - Looking

    /// The applications of which a command neither ends nor goes back, in order of their IDs: a fault of this process.
    package func stuck() async -> [GUID] {
        // What cannot be told to the broker is not settled.
        guard health.takesEvents else { return [] }
        var stuck: [GUID] = []
        for (id, activity) in state.withLockedValue({ $0.activities }) where await activity.isStuck { stuck.append(id) }
        return stuck.sorted { $0.description < $1.description }
    }

    /// - Parameter isPerson: somebody watches, so that the broker is asked more often.
    package func snapshot(isPerson: Bool = false) -> StatusSnapshot {
        if isPerson { queues.look() }
        let state = state.withLockedValue { $0 }
        let messages = queues.messages
        let pods = state.fleet?.roster ?? []
        return StatusSnapshot(
            pod: state.fleet?.pod ?? "",
            version: version,
            time: wallClock.now,
            uptime: clock.now - started,
            reasons: health.reasons,
            applications: state.applications.map { application(in: $0, messages, pods, state.fleet) },
            queues: queues.names.map { StatusSnapshot.Queue(name: $0, messages: messages[$0]) },
            pods: pods,
            breakers: state.breakers.flatMap { $0() },
            failures: state.failures
        )
    }

    private func application(
        in configured: Configuration.Application,
        _ messages: [String: Int],
        _ pods: [StatusSnapshot.Pod],
        _ fleet: Fleet?
    ) -> StatusSnapshot.Application {
        let id = configured.applicationID
        let activity = self[id].reading
        let outcomes = activity.seconds.reduce(OutcomeCounts()) { $0 + $1.outcomes }
        let times = activity.seconds.reduce(CommandTimes()) { $0 + $1.times }
        // Without the time before the first came.
        let lately = activity.seconds.dropLast().suffix(10).drop { $0.outcomes.sum == 0 }
        return StatusSnapshot.Application(
            applicationID: id,
            ordering: configured.ordering,
            role: health.role(in: id),
            isPaused: health.paused.contains(id),
            isMisconfigured: health.isMisconfigured(id),
            refusedPartners: health.refusedPartners(of: id),
            owner: pods.first { $0.owns.contains(id) }?.name,
            waiting: messages[Topology.Name.commandQueue(id)],
            inHand: activity.commands,
            lanes: activity.lanes,
            prefetch: configured.prefetch,
            apis: PerAPI { api in
                StatusSnapshot.Use(
                    limit: configured.limit(for: api).map { .init(requests: $0.rate.requests, window: $0.rate.window) },
                    sent: activity.seconds.dropLast().map { $0.sent[api] },
                    inFlight: activity.inFlight[api],
                    pause: fleet?.pause(of: id, api),
                    throttled: activity.seconds.reduce(0) { $0 + $1.throttled[api] },
                    failedRequests: activity.seconds.reduce(0) { $0 + $1.failedRequests[api] }
                )
            },
            outcomes: outcomes,
            total: activity.total,
            times: times.divided(by: outcomes.sum),
            rate: Double(lately.reduce(0) { $0 + $1.outcomes.sum }) / Double(max(1, lately.count))
        )
    }
}

extension StatusSnapshot.Failure {
    fileprivate init?(_ event: ResultEvent) {
        guard let error = event.error, event.outcome != .succeeded else { return nil }
        self.init(
            time: event.time,
            command: event.about.kind,
            applicationID: event.about.applicationID,
            customerID: event.about.customerID,
            correlationID: event.correlationID,
            outcome: event.outcome,
            category: error.category,
            message: error.message,
            status: error.status,
            code: error.code
        )
    }
}
