import ConsentContract
import NIOConcurrencyHelpers
import Resilience

/// The applications that this process is to work on. They change with the configuration while it runs.
final class ApplicationRoster: Sendable {
    private struct State {
        /// In the order of the configuration.
        var workers: [ApplicationWorker] = []
        var isClosed = false
    }

    struct Change: Sendable {
        var added: [GUID] = []
        var changed: [GUID] = []
        var removed: [GUID] = []
    }

    /// Rings at every change.
    let bell = Bell()
    private let state = NIOLockedValueBox(State())

    /// Those to work for now; empty once closed.
    var workers: [ApplicationWorker] { state.withLockedValue { $0.isClosed ? [] : $0.workers } }

    var isClosed: Bool { state.withLockedValue { $0.isClosed } }

    var applications: [Configuration.Application] { state.withLockedValue { $0.workers.map(\.application) } }

    /// Keeps the workers of applications that stay as they were, and has `make` make those of the others.
    func update(
        _ applications: [Configuration.Application],
        _ make: (Configuration.Application) -> ApplicationWorker
    ) -> Change {
        let old = state.withLockedValue { $0.workers }
        var change = Change()
        let workers = applications.map { application in
            let present = old.first { $0.application.applicationID == application.applicationID }
            if let present, present.application == application { return present }
            if present == nil {
                change.added.append(application.applicationID)
            } else {
                change.changed.append(application.applicationID)
            }
            return make(application)
        }
        let kept = Set(applications.map(\.applicationID))
        change.removed = old.map(\.application.applicationID).filter { !kept.contains($0) }
        state.withLockedValue { $0.workers = workers }
        bell.ring()
        return change
    }

    /// Nothing is worked on any more.
    func close() {
        state.withLockedValue { $0.isClosed = true }
        bell.ring()
    }
}
