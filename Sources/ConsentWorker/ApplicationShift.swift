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
            while try await !declare(worker) {
                do {
                    try await worker.stop.cancelWhenRaised { [clock = factory.clock] in
                        try await clock.sleep(for: .seconds(10))
                    }
                } catch  where worker.stop.isRaised {
                    return
                }
            }
        }
        try await worker.run(on: connection)
    }

    /// False if something else stands in the broker under the application's names. The others go on meanwhile.
    private func declare(_ worker: ApplicationWorker) async throws -> Bool {
        do {
            try await factory.declare([worker.application], on: connection)
            factory.health.clearMisconfiguration(of: worker.id)
            return true
        } catch let mismatch as TopologyMismatch {
            if factory.health.reportMisconfiguration(of: worker.id, "\(mismatch)") {
                logger.error(
                    "an application cannot be worked on",
                    metadata: ["application": "\(worker.id)", "error": "\(mismatch)"]
                )
            }
            return false
        }
    }
}
