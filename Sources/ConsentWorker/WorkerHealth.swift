package import AMQP
package import ConsentContract
import NIOConcurrencyHelpers

/// What keeps the worker from working, as it is known now.
package final class WorkerHealth: Sendable {
    private struct State {
        var connection: AMQPConnection?
        var workConnection: String? = "not connected to the broker yet"
        var consuming: Set<GUID> = []
        var misconfigured: [GUID: String] = [:]
        var isDraining = false
    }

    private let applications: [GUID]
    private let publisher: ConfirmedPublisher
    private let state = NIOLockedValueBox(State())

    package init(applications: [GUID], publisher: ConfirmedPublisher) {
        self.applications = applications
        self.publisher = publisher
    }

    /// Why the worker is not ready, in words; empty when it is.
    package var reasons: [String] {
        state.withLockedValue { state in
            if state.isDraining { return ["shutting down"] }
            if let reason = state.workConnection { return [reason] }
            if !publisher.isReady { return ["the broker takes no events"] }
            return applications.compactMap { application in
                if let reason = state.misconfigured[application] { return "application \(application): \(reason)" }
                return state.consuming.contains(application) ? nil : "application \(application) is not consumed yet"
            }
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
            state.consuming = []
        }
    }

    func setConsuming(_ application: GUID, _ isConsuming: Bool) {
        state.withLockedValue { state in
            if isConsuming { state.consuming.insert(application) } else { state.consuming.remove(application) }
        }
    }

    func setDraining() { state.withLockedValue { $0.isDraining = true } }

    /// True if this is news.
    func reportMisconfiguration(of application: GUID, _ reason: String) -> Bool {
        state.withLockedValue { $0.misconfigured.updateValue(reason, forKey: application) == nil }
    }

    func clearMisconfiguration(of application: GUID) {
        state.withLockedValue { _ = $0.misconfigured.removeValue(forKey: application) }
    }
}
