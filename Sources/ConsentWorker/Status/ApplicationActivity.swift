import ConsentContract
import Metrics
import MicrosoftAPI
import NIOConcurrencyHelpers
import Resilience

/// What becomes of one application's commands and requests in this process: counted for metrics, and kept for a
/// minute for whoever looks.
final class ApplicationActivity: Sendable {
    /// What it is doing and has done.
    struct Reading: Sendable {
        /// The last whole seconds, the oldest first, and behind them the one that runs.
        let seconds: [MinuteHistory.Second]
        /// Since the start.
        let total: OutcomeCounts
        let inFlight: PerAPI<Int>
        let commands: Int
        let lanes: Int
    }

    private struct State {
        var history: MinuteHistory
        var total = OutcomeCounts()
        var inFlight = PerAPI { _ in 0 }
        var commands = 0
        var lanes = 0
        var oldestReceipt: @Sendable () async -> ContinuousClock.Instant? = { nil }
    }

    /// A window goes back to its queue before a command is in hand for so long: who still has it then is stuck.
    static let longestInHand = CommandSessions.oldestDelivery + .seconds(5 * 60)

    private let meters: ApplicationMeters
    private let clock: any MonotonicClock
    private let state: NIOLockedValueBox<State>

    /// - Parameter application: nil for what belongs to none of the configuration.
    init(application: GUID?, clock: any MonotonicClock) {
        meters = ApplicationMeters(application: application)
        self.clock = clock
        state = NIOLockedValueBox(State(history: MinuteHistory(origin: clock.now)))
    }

    var reading: Reading {
        state.withLockedValue { state in
            Reading(
                seconds: state.history.recent(at: clock.now),
                total: state.total,
                inFlight: state.inFlight,
                commands: state.commands,
                lanes: state.lanes
            )
        }
    }

    // MARK: - Commands

    func received() { meters.consumed.increment() }

    /// Tells how many commands are in hand, not yet settled, and of how many customers.
    func holds(commands: Int, lanes: Int) {
        state.withLockedValue { state in
            state.commands = commands
            state.lanes = lanes
        }
    }

    /// Tells whom to ask when the command that has been in hand for longest came; nil: nobody consumes.
    func consumes(_ oldestReceipt: (@Sendable () async -> ContinuousClock.Instant?)?) {
        state.withLockedValue { $0.oldestReceipt = oldestReceipt ?? { nil } }
    }

    /// Whether a command is in hand that should have ended or gone back long ago.
    var isStuck: Bool {
        get async {
            guard let oldest = await state.withLockedValue({ $0.oldestReceipt })() else { return false }
            return clock.now - oldest > Self.longestInHand
        }
    }

    func ended(_ event: ResultEvent) {
        meters.ended(event)
        state.withLockedValue { state in
            state.total[event.outcome] += 1
            state.history.record(at: clock.now) { second in
                second.outcomes[event.outcome] += 1
                second.times.queue += event.timings.queued ?? 0
                second.times.limit += event.timings.limiter
                second.times.api += event.timings.api
                second.times.retry += event.timings.retryWait
            }
        }
    }

    // MARK: - Requests

    func requestBegan(_ api: API) { state.withLockedValue { $0.inFlight[api] += 1 } }

    func requestEnded(_ api: API) { state.withLockedValue { $0.inFlight[api] -= 1 } }

    /// True, as the last word on whether a request may be written.
    func permitUsed(_ api: API) -> Bool {
        meters.requests[api].increment()
        record { $0.sent[api] += 1 }
        return true
    }

    func answered(_ api: API, _ verdict: Verdict) {
        switch verdict {
        case .throttled:
            meters.throttled[api].increment()
            record { $0.throttled[api] += 1 }
        case .transient(let error, _, _):
            meters.failed(api, error.category)
            record { $0.failedRequests[api] += 1 }
        default: break
        }
    }

    private func record(_ change: (inout MinuteHistory.Second) -> Void) {
        state.withLockedValue { $0.history.record(at: clock.now, change) }
    }
}
