package import AMQP
package import ConsentContract
package import JSON
package import MicrosoftAPI
import RateLimiting
package import Resilience

/// What the broker and the pods say of the fleet at one moment.
package struct FleetReport: Sendable {
    /// The permits of one limit, where all pods share it. What is neither ready nor resting is in use.
    package struct Permits: Sendable, Hashable {
        package var api: API
        /// As many as there should be.
        package var limit: Int
        package var ready: Int
        package var resting: Int
    }

    package struct Application: Sendable {
        package var applicationID: GUID
        package var ordering: Configuration.Ordering
        /// The pod that owns it, as far as one has answered.
        package var owner: String?
        /// Ready in its queue.
        package var waiting: Int
        /// Taken by pods and not yet settled.
        package var inHand: Int
        package var isPaused: Bool
        /// What ended in the last minute, over all pods that have answered.
        package var outcomes: [Outcome: Int]
        /// The least time in which Partner Center's limit lets all of that through; nil without a limit.
        package var remaining: Duration?
        /// Of the limits that permits keep, as far as a pod has made them.
        package var permits: [Permits]
    }

    package let time: Timestamp
    package let applications: [Application]
    /// Ready messages in the queues that concern all.
    package let deadLetters: Int
    package let unclaimed: Int
    package let unroutable: Int
    /// What each pod has answered: its snapshot as JSON.
    package let pods: [JSONValue]
    /// Pods that others know of and that did not answer in time.
    package let silent: [String]
}

extension FleetReport {
    /// Asks broker and pods.
    /// - Parameter patience: how long pods may take; as soon as all that are known have answered it goes on.
    /// - Throws: ``AMQPError``, with reply code 404 where the topology is not declared.
    package static func ask(
        _ configuration: Configuration,
        on connection: AMQPConnection,
        patience: Duration,
        clock: any MonotonicClock = SystemClock(),
        wallClock: any WallClock = SystemWallClock()
    ) async throws -> FleetReport {
        let pods = try await podsAnswers(connection, patience, clock)
        let names = Set(pods.compactMap { $0["pod"]?.string })
        let known = Set(pods.flatMap { $0["pods"]?.array ?? [] }.compactMap { $0["name"]?.string })
        let channel = try await connection.openChannel()
        func ready(_ queue: String) async throws -> Int {
            try await channel.declare(AMQPQueue(queue, passive: true)).messages
        }
        var applications: [Application] = []
        for application in configuration.applications {
            let id = application.applicationID
            applications.append(
                Application(
                    application,
                    waiting: try await ready(Topology.Name.commandQueue(id)),
                    isPaused: try await ready(Topology.Name.pauseQueue(id)) > 0,
                    permits: try await permits(of: application, on: connection),
                    pods
                )
            )
        }
        let report = FleetReport(
            time: wallClock.now,
            applications: applications,
            deadLetters: try await ready(Topology.Name.deadLetters),
            unclaimed: try await ready(Topology.Name.unclaimed),
            unroutable: try await ready(Topology.Name.unroutable),
            pods: pods.sorted { ($0["pod"]?.string ?? "") < ($1["pod"]?.string ?? "") },
            silent: known.subtracting(names).sorted()
        )
        try await channel.close()
        return report
    }

    private static func permits(
        of application: Configuration.Application,
        on connection: AMQPConnection
    ) async throws -> [Permits] {
        guard application.ordering == .none else { return [] }
        var all: [Permits] = []
        for api in API.allCases {
            guard let limit = application.limit(for: api)?.rate.requests else { continue }
            let queues = PermitQueues(key: api.permitKey(of: application.applicationID))
            let channel = try await connection.openChannel()
            do throws(AMQPError) {
                let ready = try await channel.declare(AMQPQueue(queues.permits, passive: true)).messages
                let resting = try await channel.declare(AMQPQueue(queues.resting, passive: true)).messages
                try await channel.close()
                all.append(Permits(api: api, limit: limit, ready: ready, resting: resting))
            } catch {
                // The queues come with the first pod.
                guard error.replyCode == AMQPReplyCode.notFound else { throw error }
            }
        }
        return all
    }

    private static func podsAnswers(
        _ connection: AMQPConnection,
        _ patience: Duration,
        _ clock: any MonotonicClock
    ) async throws -> [JSONValue] {
        let channel = try await connection.openChannel()
        let name = "\(Topology.Name.status).\(GUID.random())"
        try await channel.declare(AMQPQueue(name, durable: false, exclusive: true, autoDelete: true))
        let consumer = try await channel.consume(name)
        try await channel.selectConfirms()
        _ = try await channel.publish(ControlMessage.status(replyTo: name).message(from: "operator"))
        let timer = Task {
            try await clock.sleep(for: patience)
            await consumer.endDeliveries()
        }
        defer { timer.cancel() }
        var answers: [JSONValue] = []
        for try await batch in consumer.deliveries {
            for delivery in batch {
                delivery.ack()
                guard case .complete(let body) = delivery.body, let answer = try? JSONParser.parse(body) else {
                    continue
                }
                answers.append(answer)
            }
            // Each pod knows of the others.
            let known = answers.map { $0["pods"]?.array?.count ?? 0 }.max() ?? 0
            if known > 0, answers.count >= known { break }
        }
        try await channel.close()
        return answers
    }
}

extension FleetReport.Application {
    fileprivate init(
        _ application: Configuration.Application,
        waiting: Int,
        isPaused: Bool,
        permits: [FleetReport.Permits],
        _ pods: [JSONValue]
    ) {
        applicationID = application.applicationID
        ordering = application.ordering
        self.waiting = waiting
        self.isPaused = isPaused
        self.permits = permits
        inHand = 0
        outcomes = [:]
        for pod in pods {
            let mine = pod["applications"]?.array?.first {
                $0["applicationId"]?.string == "\(application.applicationID)"
            }
            guard let mine else { continue }
            inHand += mine["inHand"]?.int ?? 0
            for outcome in Outcome.allCases {
                outcomes[outcome, default: 0] += mine["lastMinute"]?["outcomes"]?[outcome.rawValue]?.int ?? 0
            }
            if mine["role"]?.string == "owner" { owner = pod["pod"]?.string }
        }
        if let limit = application.partnerCenterLimit?.rate {
            remaining = limit.rest * (Double(waiting + inHand) / Double(limit.requests))
        }
    }
}
