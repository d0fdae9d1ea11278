/// Every metric that the worker exposes: name, meaning and, for histograms, their bounds.
///
/// The libraries below count by name only; Prometheus wants the meaning with it. A test holds the catalog and what is
/// counted together.
enum MetricCatalog {
    struct Entry: Sendable {
        enum Kind: Sendable, Hashable {
            case counter, gauge
            case histogram(bounds: [Double])
        }

        let name: String
        let kind: Kind
        let help: String
    }

    static let entries: [Entry] =
        commands + requests + limits + broker + tokens + process

    static func entry(_ name: String) -> Entry? { byName[name] }

    private static let byName = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })

    /// In seconds: from what takes no time to what takes an hour.
    private static let long = Entry.Kind.histogram(
        bounds: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600]
    )
    private static let short = Entry.Kind.histogram(
        bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    )

    private static func counter(_ name: String, _ help: String) -> Entry {
        Entry(name: name, kind: .counter, help: help)
    }
    private static func gauge(_ name: String, _ help: String) -> Entry { Entry(name: name, kind: .gauge, help: help) }

    private static let commands = [
        counter("consent_commands_total", "Commands that ended, by kind and outcome."),
        Entry(
            name: "consent_command_duration_seconds",
            kind: long,
            help: "Time from a command's publication to its event, where the publisher told when that was."
        ),
        Entry(
            name: "consent_command_wait_seconds",
            kind: long,
            help: "Time that a command waited: in the queue, for the limit, between attempts."
        ),
        counter("consent_dead_letters_total", "Commands put among the dead letters, by category."),
        counter("consent_spans_exported_total", "Spans that a collector took."),
        counter("consent_spans_dropped_total", "Spans that no collector took, by reason."),
        counter("consent_replies_lost_total", "Copies of events that no queue named by reply_to took."),
        gauge("consent_commands_in_hand", "Commands taken from the broker and not yet settled."),
        gauge("consent_commands_in_hand_max", "The most commands that may be in hand (prefetch)."),
        gauge("consent_lanes", "Customers that the commands in hand are for."),
        counter("messaging_client_consumed_messages_total", "Commands delivered, by queue."),
        counter("messaging_client_sent_messages_total", "Messages published and confirmed, by exchange."),
        Entry(
            name: "messaging_process_duration_seconds",
            kind: long,
            help: "Time from a command's delivery to its acknowledgement, by queue."
        ),
    ]

    private static let requests = [
        counter("consent_requests_total", "Permits used: requests written to an API."),
        counter(
            "consent_request_failures_total",
            "Requests that came to nothing in a way that is tried again, by category."
        ),
        counter("consent_throttled_total", "Requests answered with 429 though the limit was kept."),
        gauge("consent_requests_in_flight", "Requests under way."),
        Entry(
            name: "http_client_request_duration_seconds",
            kind: short,
            help: "Time of a request to Microsoft, tokens included, by host, method and how it ended."
        ),
    ]

    private static let limits = [
        gauge("consent_limit_requests", "Requests that the limit allows in each window."),
        gauge("consent_limit_window_seconds", "The limit's window."),
        gauge("consent_paused_seconds", "Time until requests may be sent again, because the API asked for a pause."),
        gauge("consent_application_paused", "1 while an operator has paused the application."),
        gauge(
            "consent_application_misconfigured",
            "1 while the application's commands wait because of its configuration, as for a refused client secret."
        ),
        gauge("consent_partners_refused", "Partners that have to sign in again: their commands fail."),
        gauge("consent_breaker_open", "1 while a breaker keeps requests back, 0 while it does not."),
    ]

    private static let broker = [
        gauge("consent_ready", "1 while the worker takes commands, as /readyz says."),
        gauge("consent_pods", "Pods that this one hears of, itself included; 0 without a connection."),
        gauge("consent_owned", "1 in the pod that owns the application."),
        gauge("consent_queue_messages", "Messages ready in a queue of the broker."),
        counter("consent_broker_reconnects_total", "Connections to the broker that failed and were tried again."),
    ]

    private static let tokens = [
        gauge(
            "consent_refresh_token_expiry_timestamp_seconds",
            "When a partner's refresh token expires if it is not renewed, in seconds since 1970."
        )
    ]

    private static let process = [
        gauge("consent_build_info", "1, with the version."),
        Entry(
            name: "consent_event_loop_lag_seconds",
            kind: .histogram(bounds: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]),
            help: "Time until a thread that was called had a turn, once a second."
        ),
        counter("process_cpu_seconds_total", "Processor time used."),
        gauge("process_open_fds", "File descriptors in use."),
        gauge("process_resident_memory_bytes", "Memory in use."),
        gauge("process_start_time_seconds", "When the process started, in seconds since 1970."),
    ]
}
