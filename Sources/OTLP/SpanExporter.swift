package import HTTP
package import Logging
import JSON
import Metrics
package import Resilience
import ServiceLifecycle

/// Sends spans to a collector by OTLP over HTTP, in batches, one at a time.
///
/// A batch that the collector does not take after some attempts is dropped: telemetry that is late is worth less than
/// the memory it holds. Nobody ever waits for it.
package final class SpanExporter: Service, CustomStringConvertible {
    private let queue: SpanQueue
    private let options: ExportOptions
    private let send: @Sendable (HTTPRequest) async throws(HTTPError) -> HTTPResponse
    private let clock: any MonotonicClock
    private let report: ExportReport
    private let ending = DrainSignal()

    /// - Parameter send: sends a request, whatever the answer's status.
    package init(
        _ queue: SpanQueue,
        _ options: ExportOptions,
        clock: any MonotonicClock = SystemClock(),
        logger: Logger,
        send: @escaping @Sendable (HTTPRequest) async throws(HTTPError) -> HTTPResponse
    ) {
        self.queue = queue
        self.options = options
        self.send = send
        self.clock = clock
        report = ExportReport(endpoint: options.endpoint, clock: clock, logger: logger)
    }

    package var description: String { "traces" }

    /// Runs until graceful shutdown or cancellation; what is left then is sent for as long as `flushLimit` allows.
    package func run() async throws {
        // A task of its own: the end of this one is when the rest has to be sent.
        let work = Task { await exportAll() }
        let limit = Task { [ending, clock, options] in
            try await ending.wait()
            try await clock.sleep(for: options.flushLimit)
            work.cancel()
        }
        defer { limit.cancel() }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await work.value
            } onGracefulShutdown: {
                self.end()
            }
        } onCancel: {
            end()
        }
    }

    private func end() {
        ending.raise()
        queue.ring()
    }

    private func exportAll() async {
        while !Task.isCancelled, !(ending.isRaised && queue.count == 0) {
            if !ending.isRaised { try? await queue.waitForBatch(patience: options.patience, clock: clock) }
            let spans = queue.take()
            if !spans.isEmpty { await export(spans) }
        }
        if queue.count > 0 { report.lost(queue.count) }
    }

    private enum Answer {
        case taken(rejected: Int)
        case refused(String)
        case failed(String)
    }

    private func export(_ spans: [FinishedSpan]) async {
        let request = ExportRequest(resource: options.resource, scope: options.scope, spans: spans)
        let body = request.bytes
        for attempt in 1... {
            let answer = await answer(to: body)
            report.overflow(queue.takeDropped())
            switch answer {
            case .taken(let rejected): return report.taken(spans.count - rejected, rejected: rejected)
            case .failed(let reason) where attempt < options.attempts && !ending.isRaised:
                report.failed(reason)
                let delay = options.backoff.delay(afterAttempt: attempt)
                // The end of the process ends the wait, not the attempts.
                try? await ending.cancelWhenRaised { [clock] in try await clock.sleep(for: delay) }
            case .failed(let reason), .refused(let reason):
                report.failed(reason)
                return report.lost(spans.count)
            }
        }
    }

    private func answer(to body: [UInt8]) async -> Answer {
        let type = HTTPHeader("Content-Type", "application/json")
        let request = HTTPRequest(
            .post,
            options.endpoint,
            headers: [type] + options.headers,
            body: body,
            timeout: options.timeout
        )
        do throws(HTTPError) {
            let response = try await send(request)
            switch response.status {
            case 200..<300:
                let refused = (try? JSONParser.parse(response.body))?["partialSuccess"]?["rejectedSpans"]
                return .taken(rejected: refused?.int ?? refused?.string.flatMap { Int($0) } ?? 0)
            // The others would be the same again.
            case 429, 502, 503, 504: return .failed("status \(response.status)")
            default: return .refused("status \(response.status)")
            }
        } catch {
            return .failed("\(error)")
        }
    }
}
