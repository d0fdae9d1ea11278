import HTTP
import JSON
import Logging
import NIOConcurrencyHelpers
import Resilience
import TestSupport
import Testing
import Tracing

@testable import OTLP

@Suite("Span exporter", .timeLimit(.minutes(1)))
struct SpanExporterTests {
    /// A collector that answers as it is told and keeps what came.
    private final class Collector: Sendable {
        let requests = EventLog<HTTPRequest>()
        private let answers: NIOLockedValueBox<[Int?]>
        private let underWay = NIOLockedValueBox((now: 0, most: 0))

        /// - Parameter answers: a status for each request, nil for no answer until it is given up; then 200 for all.
        init(_ answers: [Int?] = []) { self.answers = NIOLockedValueBox(answers) }

        var mostAtATime: Int { underWay.withLockedValue { $0.most } }

        func answer(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
            underWay.withLockedValue { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            defer { underWay.withLockedValue { $0.now -= 1 } }
            requests.append(request)
            let status = answers.withLockedValue { $0.isEmpty ? 200 : $0.removeFirst() }
            guard let status else {
                _ = await OneShot<Bool>().wait(orWhenCancelled: false)
                throw HTTPError(.cancelled, "given up", wasSent: true)
            }
            return HTTPResponse(status: status)
        }

        /// The names of the spans in each request.
        var spans: [[Int]] {
            requests.events.map { request in
                let json = try? JSONParser.parse(request.body ?? [])
                let spans = json?["resourceSpans"]?.array?.first?["scopeSpans"]?.array?.first?["spans"]?.array
                return spans?.compactMap { $0["spanId"]?.string.flatMap { Int($0, radix: 16) } } ?? []
            }
        }
    }

    private let clock = ManualClock()
    private let queue = SpanQueue(capacity: 4, batchSize: 2)

    private func exporter(_ collector: Collector) -> SpanExporter {
        let options = ExportOptions(
            endpoint: "http://127.0.0.1:4318/v1/traces",
            headers: [HTTPHeader("x-key", "k")],
            resource: [:],
            scope: (name: "s", version: "1")
        )
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return SpanExporter(queue, options, clock: clock, logger: logger) { (request) async throws(HTTPError) in
            try await collector.answer(request)
        }
    }

    private func offer(_ numbers: ClosedRange<UInt64>) { for number in numbers { queue.offer(.numbered(number)) } }

    @Test func batchesAreSentOneAtATimeInOrder() async throws {
        let collector = Collector()
        let exporter = exporter(collector)
        offer(1...4)
        let run = Task { try await exporter.run() }
        await collector.requests.when(2)
        run.cancel()
        try await run.value
        #expect(collector.spans == [[1, 2], [3, 4]] && collector.mostAtATime == 1)
        let request = collector.requests.events[0]
        #expect(request.method == .post && request.url == "http://127.0.0.1:4318/v1/traces")
        #expect(request.headers == [HTTPHeader("Content-Type", "application/json"), HTTPHeader("x-key", "k")])
    }

    @Test func whatTheCollectorCannotTakeNowIsSentAgainAFewTimes() async throws {
        let collector = Collector([503, 429, 502, 504])
        let exporter = exporter(collector)
        offer(1...2)
        let run = Task { try await exporter.run() }
        for attempt in 1...3 {
            await collector.requests.when(attempt)
            await clock.whenSleeping()
            clock.advanceToNext()
        }
        await collector.requests.when(4)
        // Given up: the next is another batch.
        offer(3...4)
        await collector.requests.when(5)
        run.cancel()
        try await run.value
        #expect(collector.spans == [[1, 2], [1, 2], [1, 2], [1, 2], [3, 4]])
    }

    @Test func whatTheCollectorRefusesIsNotSentAgain() async throws {
        let collector = Collector([400])
        let exporter = exporter(collector)
        offer(1...4)
        let run = Task { try await exporter.run() }
        await collector.requests.when(2)
        run.cancel()
        try await run.value
        #expect(collector.spans == [[1, 2], [3, 4]])
    }

    @Test func atTheEndTheRestIsSentWithoutWaiting() async throws {
        let collector = Collector()
        let exporter = exporter(collector)
        offer(1...1)
        let run = Task { try await exporter.run() }
        // It waits for others to fill the batch.
        await clock.whenSleeping()
        run.cancel()
        try await run.value
        #expect(collector.spans == [[1]])
    }

    @Test func aCollectorThatDoesNotAnswerHoldsNeitherSpansNorTheEnd() async throws {
        let collector = Collector([nil])
        let exporter = exporter(collector)
        offer(1...2)
        let run = Task { try await exporter.run() }
        await collector.requests.when(1)
        // Nobody waits for room: what there is none for is dropped.
        offer(3...9)
        #expect(queue.count == 4 && queue.takeDropped() == 3)
        run.cancel()
        await clock.whenSleeping()
        clock.advance(by: .seconds(3))
        try await run.value
        #expect(collector.spans == [[1, 2]])
    }

    @Test func atTheEndACollectorThatIsDownGetsOneTryABatch() async throws {
        let collector = Collector([503, 503, 503, 503])
        let exporter = exporter(collector)
        offer(1...4)
        let run = Task { try await exporter.run() }
        await collector.requests.when(1)
        run.cancel()
        try await run.value
        let spans = collector.spans
        #expect(spans.last == [3, 4] && spans.count { $0 == [3, 4] } == 1)
    }
}
