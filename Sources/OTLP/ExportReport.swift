import Logging
import Metrics
import NIOConcurrencyHelpers
import Resilience

/// Counts what became of spans, and tells the log when that changes.
final class ExportReport: Sendable {
    private let endpoint: String
    private let logger: Logger
    private let isFailing = NIOLockedValueBox(false)
    private let clock: any MonotonicClock
    private let overflows = Pacemaker(every: .seconds(60))
    private let rejections = Pacemaker(every: .seconds(60))
    private let exported = Counter(label: "consent_spans_exported_total")
    private let lost = Counter(label: "consent_spans_dropped_total", dimensions: [("reason", "exportFailed")])
    private let rejected = Counter(label: "consent_spans_dropped_total", dimensions: [("reason", "rejected")])

    init(endpoint: String, clock: any MonotonicClock, logger: Logger) {
        self.endpoint = endpoint
        self.logger = logger
        self.clock = clock
    }

    func taken(_ count: Int, rejected refused: Int) {
        exported.increment(by: count)
        rejected.increment(by: refused)
        if refused > 0, rejections.allows(at: clock.now) {
            logger.warning("the collector rejects spans", metadata: ["rejected": "\(refused)"])
        }
        guard change(to: false) else { return }
        logger.notice("the collector takes spans again", metadata: ["endpoint": "\(endpoint)"])
    }

    func lost(_ count: Int) { lost.increment(by: count) }

    func failed(_ reason: String) {
        guard change(to: true) else { return }
        logger.warning(
            "the collector takes no spans; what it does not take after some attempts is dropped",
            metadata: ["endpoint": "\(endpoint)", "reason": "\(reason)"]
        )
    }

    func overflow(_ count: Int) {
        guard count > 0, overflows.allows(at: clock.now) else { return }
        logger.warning("spans are dropped: the collector takes them too slowly", metadata: ["dropped": "\(count)"])
    }

    private func change(to value: Bool) -> Bool {
        isFailing.withLockedValue { isFailing in
            defer { isFailing = value }
            return isFailing != value
        }
    }
}
