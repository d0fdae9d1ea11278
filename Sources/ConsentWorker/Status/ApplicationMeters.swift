import ConsentContract
import Metrics
import MicrosoftAPI

/// One application's instruments, made once: the way of a command makes none. Where OpenTelemetry's conventions for
/// messaging have a name, it is that.
struct ApplicationMeters: Sendable {
    /// Why a command waits.
    enum WaitCause: String, CaseIterable { case queue, limit, retry }

    private struct Ending: Hashable {
        let kind: CommandKind?
        let outcome: Outcome
    }

    let consumed: Counter
    let processing: Timer
    let requests: PerAPI<Counter>
    let throttled: PerAPI<Counter>
    private let application: String
    private let commands: [Ending: Counter]
    private let durations: [CommandKind: Timer]
    private let waits: [WaitCause: Timer]

    /// - Parameter application: nil for what belongs to none of the configuration.
    init(application id: GUID?) {
        let name = id?.description ?? "unknown"
        let own = [("application", name)]
        let destination = [
            ("messaging_system", "rabbitmq"),
            ("messaging_destination_name", id.map { Topology.Name.commandQueue($0) } ?? Topology.Name.unroutable),
        ]
        application = name
        consumed = Counter(label: "messaging_client_consumed_messages_total", dimensions: destination)
        processing = Timer(label: "messaging_process_duration_seconds", dimensions: destination)
        requests = PerAPI { Counter(label: "consent_requests_total", dimensions: own + [("api", $0.rawValue)]) }
        throttled = PerAPI { Counter(label: "consent_throttled_total", dimensions: own + [("api", $0.rawValue)]) }
        var commands: [Ending: Counter] = [:]
        for kind in [nil] + CommandKind.allCases {
            for outcome in Outcome.allCases {
                commands[Ending(kind: kind, outcome: outcome)] = Counter(
                    label: "consent_commands_total",
                    dimensions: own + [("command", kind?.rawValue ?? "unknown"), ("outcome", outcome.rawValue)]
                )
            }
        }
        self.commands = commands
        durations = Dictionary(
            uniqueKeysWithValues: CommandKind.allCases.map {
                ($0, Timer(label: "consent_command_duration_seconds", dimensions: own + [("command", $0.rawValue)]))
            }
        )
        waits = Dictionary(
            uniqueKeysWithValues: WaitCause.allCases.map {
                ($0, Timer(label: "consent_command_wait_seconds", dimensions: own + [("cause", $0.rawValue)]))
            }
        )
    }

    func ended(_ event: ResultEvent) {
        commands[Ending(kind: event.about.kind, outcome: event.outcome)]?.increment()
        if let error = event.error, event.outcome == .failed || event.outcome == .rejected {
            Counter(
                label: "consent_dead_letters_total",
                dimensions: [
                    ("application", application), ("category", error.category.rawValue),
                    ("fixable_by", error.category.fixableBy.rawValue),
                ]
            ).increment()
        }
        let timings = event.timings
        processing.recordMilliseconds(timings.total - (timings.queued ?? 0))
        guard event.outcome != .rejected else { return }
        waits[.limit]?.recordMilliseconds(timings.limiter)
        waits[.retry]?.recordMilliseconds(timings.retryWait)
        guard let queued = timings.queued else { return }
        waits[.queue]?.recordMilliseconds(queued)
        if let kind = event.about.kind { durations[kind]?.recordMilliseconds(timings.total) }
    }

    /// Not on the way of a command that succeeds at once.
    func failed(_ api: API, _ category: ErrorCategory) {
        Counter(
            label: "consent_request_failures_total",
            dimensions: [("application", application), ("api", api.rawValue), ("category", category.rawValue)]
        ).increment()
    }
}
