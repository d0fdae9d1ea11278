package import AMQP
import ConsentContract
package import Resilience

/// What a fleet has agreed on for each application: it stands in the owner token, where every pod finds it.
package struct FleetAgreement: Sendable {
    private let configuration: Configuration
    private let clock: any MonotonicClock

    package init(_ configuration: Configuration, clock: any MonotonicClock = SystemClock()) {
        self.configuration = configuration
        self.clock = clock
    }

    private var topology: Topology { Topology(configuration.applications) }

    /// Declares the topology, and writes the token of each application whose owner queue is new.
    /// - Returns: the applications whose command queue is made for the other ordering.
    /// - Throws: ``TopologyMismatch``; ``AMQPError``.
    func declare(on connection: AMQPConnection) async throws -> Set<GUID> {
        let missing = try await topology.missingOwnerQueues(on: connection)
        let madeForOther = try await topology.declare(on: connection)
        for application in configuration.applications where missing.contains(application.applicationID) {
            // Nobody can have owned it before there was a queue.
            try await write(application, isReleased: true, on: connection)
        }
        return madeForOther
    }

    /// What the fleet has agreed on, by the token if it can be looked at now, else as configured: an owner who holds
    /// it will hand it on.
    func agreement(
        on application: Configuration.Application,
        _ connection: AMQPConnection
    ) async throws -> OwnerToken.Agreement {
        let own = OwnerToken.Agreement(application)
        for _ in 0..<5 {
            switch try await look(application, on: connection, { _ in false }) {
            case .token(let token): return token.agreement
            // Whoever waits for the token keeps the order.
            case .taken: return OwnerToken.Agreement(ordering: .customer, prefetch: own.prefetch)
            // Another pod may be looking at it just now.
            case .absent: try await clock.sleep(for: .milliseconds(100))
            }
        }
        try await write(application, isReleased: false, on: connection)
        return own
    }

    /// Declares the topology and makes the fleet agree on what is configured. Only while no pod runs the application
    /// and nothing is queued for it: commands of one customer must not be in hand under two rules.
    /// - Returns: why an application could not be changed; empty if all are as configured.
    /// - Throws: ``TopologyMismatch``; ``AMQPError``.
    package func impose(on connection: AMQPConnection) async throws -> [String] {
        let madeForOther = try await declare(on: connection)
        var refusals: [String] = []
        for application in configuration.applications {
            let own = OwnerToken.Agreement(application)
            let queue = Topology.Name.commandQueue(application.applicationID)
            var refusal: String?
            let sight = try await look(application, on: connection) { token in
                guard token.agreement != own else { return false }
                guard try await Topology.isIdle(queue, on: connection) else {
                    refusal = "keeps \(token.agreement): its queue is consumed or not empty"
                    return false
                }
                try await write(application, isReleased: token.isReleased, on: connection)
                return true
            }
            // What an owner holds cannot be read, but that it is owned says that it keeps order.
            if case .taken = sight, own.ordering == .none { refusal = "is owned by a running worker" }
            if refusal == nil, madeForOther.contains(application.applicationID) {
                let isRemade = try await topology.remake(commandQueueOf: application.applicationID, on: connection)
                if !isRemade { refusal = "keeps its queue of another ordering: it is consumed or not empty" }
            }
            if let refusal { refusals.append("application \(application.applicationID) \(refusal)") }
        }
        return refusals
    }

    private enum Sight {
        case token(OwnerToken)
        /// Somebody consumes the queue.
        case taken
        case absent
    }

    /// Looks at the token. RabbitMQ lets nobody `get` from a queue with a single active consumer, so this is a
    /// consumer for a moment.
    /// - Parameter replaces: true if it has written another in its place.
    private func look(
        _ application: Configuration.Application,
        on connection: AMQPConnection,
        _ replaces: (OwnerToken) async throws -> Bool
    ) async throws -> Sight {
        let channel = try await connection.openChannel()
        let queue = AMQPQueue(Topology.Name.ownerQueue(application.applicationID), passive: true)
        let status = try await channel.declare(queue)
        guard status.consumers == 0, status.messages > 0 else {
            try await channel.close()
            return status.consumers > 0 ? .taken : .absent
        }
        try await channel.close()
        var intake = try await TokenIntake(queue.name, on: connection)
        let first = patience(.milliseconds(200), with: intake)
        defer { first.cancel() }
        var sight = Sight.absent
        if let delivery = try await intake.next() {
            first.cancel()
            let token = OwnerToken(
                delivery,
                assuming: OwnerToken.Agreement(application),
                lease: configuration.ownerLease
            )
            sight = .token(token)
            if try await replaces(token) {
                // Others may have been written by pods that started together: the new one is behind them.
                let second = patience(.seconds(5), with: intake)
                defer { second.cancel() }
                let agreement = OwnerToken.Agreement(application)
                var isNew = false
                while !isNew, let next = try await intake.next() {
                    isNew =
                        OwnerToken(next, assuming: agreement, lease: configuration.ownerLease).agreement == agreement
                }
                if isNew { intake.settleEarlier() } else { intake.settleAll() }
            }
        }
        try await intake.leave()
        return sight
    }

    /// Ends the intake after a while, unless it is cancelled before.
    private func patience(_ duration: Duration, with intake: TokenIntake) -> Task<Void, any Error> {
        Task { [clock, end = intake.end] in
            try await clock.sleep(for: duration)
            await end()
        }
    }

    private func write(
        _ application: Configuration.Application,
        isReleased: Bool,
        on connection: AMQPConnection
    ) async throws {
        let token = OwnerToken(
            OwnerToken.Agreement(application),
            holder: nil,
            isReleased: isReleased,
            lease: configuration.ownerLease
        )
        let channel = try await connection.openChannel()
        try await channel.selectConfirms()
        _ = try await channel.publish(token.message(to: application.applicationID))
        try await channel.close()
    }
}
