package import AMQP
package import ConsentContract
import NIOConcurrencyHelpers

/// What keeps the worker from working, as it is known now.
package final class WorkerHealth: Sendable {
    private struct State {
        var applications: [GUID]
        var connection: AMQPConnection?
        var workConnection: String? = "not connected to the broker yet"
        /// Applications that this pod consumes, owns, or stands by for.
        var attached: Set<GUID> = []
        var owned: Set<GUID> = []
        /// Those of them that all pods consume.
        var shared: Set<GUID> = []
        var hindrances: [String: @Sendable () -> String?] = [:]
        var misconfigured: [GUID: String] = [:]
        var refusedPartners: [GUID: [GUID]] = [:]
        /// Messages that no queue takes, and why.
        var untold: [String: String] = [:]
        var down: Set<String> = []
        var pauses: [GUID: OperatorPause] = [:]
        var isDraining = false
    }

    private let publisher: ConfirmedPublisher
    private let state: NIOLockedValueBox<State>

    package init(applications: [GUID], publisher: ConfirmedPublisher) {
        state = NIOLockedValueBox(State(applications: applications))
        self.publisher = publisher
    }

    /// Why the worker is not ready, in words; empty when it is.
    package var reasons: [String] {
        state.withLockedValue { state in
            if state.isDraining { return ["shutting down"] }
            if let reason = state.workConnection { return [reason] }
            if !publisher.isReady { return ["the broker takes no events"] }
            if !state.untold.isEmpty { return Set(state.untold.values).sorted() }
            return state.applications.compactMap { application in
                if let reason = state.misconfigured[application] { return "application \(application): \(reason)" }
                return state.attached.contains(application) ? nil : "application \(application) is not attached yet"
            } + state.hindrances.values.compactMap { $0() }.sorted()
        }
    }

    /// Whether the broker takes events, and each of them.
    var takesEvents: Bool { publisher.isReady && state.withLockedValue { $0.untold.isEmpty } }

    /// The applications whose commands this pod takes because it owns them.
    package var owns: [GUID] { state.withLockedValue { $0.owned.sorted { $0.description < $1.description } } }

    /// The hosts that fail most requests: commands wait for them, which is no fault of this pod.
    package var down: [String] { state.withLockedValue { $0.down.sorted() } }

    /// The applications that an operator has paused, in order of their IDs.
    package var paused: [GUID] {
        let pauses = state.withLockedValue { $0.pauses }
        return pauses.filter(\.value.isPaused).map(\.key).sorted { $0.description < $1.description }
    }

    /// This pod's part in an application.
    package func role(in application: GUID) -> StatusSnapshot.Application.Role {
        state.withLockedValue { state in
            if state.owned.contains(application) { return .owner }
            if state.shared.contains(application) { return .shared }
            return state.attached.contains(application) ? .standby : .detached
        }
    }

    /// Returns as soon as the work connection's thread has a turn, or at once while there is no connection.
    package func ping() async {
        await state.withLockedValue { $0.connection }?.ping()
    }

    func setConnected(_ connection: AMQPConnection) {
        state.withLockedValue { state in
            state.connection = connection
            state.workConnection = nil
        }
    }

    func setDisconnected(_ reason: String) {
        state.withLockedValue { state in
            state.connection = nil
            state.workConnection = reason
            state.attached = []
            state.owned = []
            state.shared = []
        }
    }

    /// The applications that this pod is to work on from now on.
    func setApplications(_ applications: [GUID]) {
        state.withLockedValue { state in
            state.applications = applications
            state.pauses = state.pauses.filter { applications.contains($0.key) }
            state.misconfigured = state.misconfigured.filter { applications.contains($0.key) }
            state.refusedPartners = state.refusedPartners.filter { applications.contains($0.key) }
        }
    }

    func setAttached(_ application: GUID, _ isAttached: Bool) {
        state.withLockedValue { state in
            if isAttached { state.attached.insert(application) } else { state.attached.remove(application) }
        }
    }

    func setOwned(_ application: GUID, _ isOwned: Bool) {
        state.withLockedValue { state in
            if isOwned { state.owned.insert(application) } else { state.owned.remove(application) }
        }
    }

    func setShared(_ application: GUID, _ isShared: Bool) {
        state.withLockedValue { state in
            if isShared { state.shared.insert(application) } else { state.shared.remove(application) }
        }
    }

    /// Adds something that can keep the worker from working and says so itself.
    func addHindrance(_ name: String, _ reason: @escaping @Sendable () -> String?) {
        state.withLockedValue { $0.hindrances[name] = reason }
    }

    func removeHindrance(_ name: String) { state.withLockedValue { $0.hindrances[name] = nil } }

    func addPause(of application: GUID, _ pause: OperatorPause) {
        state.withLockedValue { $0.pauses[application] = pause }
    }

    func setDown(_ host: String, _ isDown: Bool) {
        state.withLockedValue { state in
            if isDown { state.down.insert(host) } else { state.down.remove(host) }
        }
    }

    func setUntold(_ message: String, _ reason: String?) {
        state.withLockedValue { $0.untold[message] = reason }
    }

    func setDraining() { state.withLockedValue { $0.isDraining = true } }

    /// True if this is news.
    func reportMisconfiguration(of application: GUID, _ reason: String) -> Bool {
        state.withLockedValue { $0.misconfigured.updateValue(reason, forKey: application) == nil }
    }

    /// Whether something about the application's configuration keeps its commands waiting.
    func isMisconfigured(_ application: GUID) -> Bool {
        state.withLockedValue { $0.misconfigured[application] != nil }
    }

    /// The application's partners that have to sign in again, in order of their IDs.
    func refusedPartners(of application: GUID) -> [GUID] {
        let partners = state.withLockedValue { $0.refusedPartners[application] ?? [] }
        return partners.sorted { $0.description < $1.description }
    }

    func setRefusedPartners(_ partners: [GUID], of application: GUID) {
        state.withLockedValue { $0.refusedPartners[application] = partners }
    }

    func clearMisconfiguration(of application: GUID) {
        state.withLockedValue { _ = $0.misconfigured.removeValue(forKey: application) }
    }
}
