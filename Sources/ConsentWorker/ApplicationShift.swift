import AMQP
import ConsentContract
import Logging
import Resilience

/// Works on the roster's applications over one connection, and follows its changes: who is no longer on it hands over,
/// who has come begins when the one before it has.
struct ApplicationShift: Sendable {
    let connection: AMQPConnection
    let roster: ApplicationRoster
    let factory: ApplicationFactory
    /// Whose topology is declared already.
    let declared: Set<GUID>
    let logger: Logger

    private enum Event: Sendable {
        case rosterChanged
        case ended(GUID)
    }

    /// Returns when the roster was closed and everything in hand is settled or back in the queue.
    /// - Throws: ``AMQPError`` when the connection ends before.
    func run() async throws {
        try await withThrowingTaskGroup(of: Event.self) { group in
            var running: [GUID: ApplicationWorker] = [:]
            var listens = false
            while true {
                if !listens {
                    let stroke = roster.bell.arm()
                    group.addTask {
                        _ = await stroke.wait(orWhenCancelled: false)
                        return .rosterChanged
                    }
                    listens = true
                }
                let wanted = roster.workers
                for worker in running.values where !wanted.contains(where: { $0.stop === worker.stop }) {
                    worker.stop.raise()
                }
                for worker in wanted where running[worker.id] == nil {
                    running[worker.id] = worker
                    group.addTask {
                        try await work(worker)
                        return .ended(worker.id)
                    }
                }
                if running.isEmpty, roster.isClosed { break }
                switch try await group.next() {
                case .rosterChanged: listens = false
                case .ended(let application): running[application] = nil
                case nil: break
                }
            }
            group.cancelAll()
        }
    }

    private func work(_ worker: ApplicationWorker) async throws {
        if !declared.contains(worker.id) {
            do {
                try await factory.declare([worker.application], on: connection)
            } catch let mismatch as TopologyMismatch {
                // The others go on.
                logger.error(
                    "an application that was added cannot be worked on",
                    metadata: ["application": "\(worker.id)", "error": "\(mismatch)"]
                )
                return try await worker.stop.wait()
            }
        }
        try await worker.run(on: connection)
    }
}
