import AMQP
import ArgumentParser
import ConsentContract
import ConsentWorker
import Resilience

/// Publishes what has not been, a window at a time, and takes down every event, until all commands have one.
///
/// Whatever happens comes through one sequence into one loop, so no two tasks share any state.
struct BulkRun {
    enum Ending { case complete, interrupted, timedOut }

    private enum Happening: Sendable {
        case delivered([AMQPDelivery])
        case confirmed(Int, AMQPChannel.PublishOutcome)
        case tick
        case interrupted
    }

    private typealias Sent = (index: Int, publish: AMQPChannel.PendingPublish)

    /// For the confirms of what was just published, and for events that wait in the queue.
    private static let patience = Duration.seconds(2)
    private static let tick = Duration.milliseconds(200)
    /// Keeps pace with any worker, and bounds the memory where events are pages of 1 MiB.
    private static let prefetch: UInt16 = 100

    let plan: BulkPlan
    let timeout: Duration
    private(set) var journal: BulkJournal
    private(set) var results: ResultFile
    private(set) var window: BulkWindow
    /// Events that waited in the queue when the run went on. They come first: some may be of commands that the journal
    /// does not have, because the run before was killed.
    private var backlog: Int
    private var pace: BulkPace
    private var progress: BulkProgress
    private let indices: [GUID: Int]
    private let clock = SystemClock()
    private let wallClock = SystemWallClock()
    private var lastSign: ContinuousClock.Instant
    private var lastDelivery: ContinuousClock.Instant
    private var lastSample: ContinuousClock.Instant
    private var stoppedAt: ContinuousClock.Instant?

    /// - Parameters:
    ///   - limits: requests a second, by application.
    ///   - backlog: how many events wait.
    init(
        _ plan: BulkPlan,
        _ journal: BulkJournal,
        _ results: ResultFile,
        window limit: Int,
        timeout: Duration,
        limits: [GUID: Double],
        backlog: Int
    ) {
        self.plan = plan
        self.timeout = timeout
        self.journal = journal
        self.results = results
        self.backlog = backlog
        let indices = plan.items.indices
        let ended = indices.filter { results.entries[plan.items[$0].line] != nil }
        window = BulkWindow(
            count: plan.items.count,
            limit: limit,
            ended: ended,
            published: indices.filter { journal.published.contains(plan.items[$0].line) }
        )
        self.indices = Dictionary(uniqueKeysWithValues: indices.map { (plan.commandID(of: $0, in: journal.job), $0) })
        var left: [GUID: Int] = [:]
        for item in plan.items where results.entries[item.line] == nil { left[item.application, default: 0] += 1 }
        let now = clock.now
        pace = BulkPace(left: left, limits: limits, now: now)
        progress = BulkProgress(now: now)
        lastSign = now
        lastDelivery = now
        lastSample = now
    }

    /// Runs until all is done, nothing comes any longer or `interrupt` is raised.
    mutating func run(
        on connection: AMQPConnection,
        _ queue: BulkQueue,
        until interrupt: DrainSignal
    ) async throws -> Ending {
        let publishing = try await connection.openChannel()
        try await publishing.selectConfirms()
        let consuming = try await connection.openChannel()
        try await consuming.setPrefetch(Self.prefetch)
        let consumer = try await consuming.consume(queue.name)
        let (happenings, feed) = AsyncThrowingStream<Happening, any Error>.makeStream()
        let (sent, sending) = AsyncStream<Sent>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await Self.forward(consumer, to: feed) }
            group.addTask { await Self.forwardConfirms(of: sent, to: feed) }
            group.addTask { await Self.tick(feed) }
            group.addTask { if (try? await interrupt.wait()) != nil { feed.yield(.interrupted) } }
            let ended: Result<Ending, any Error>
            do {
                ended = .success(try await handle(happenings, publishing, sending))
            } catch {
                ended = .failure(error)
            }
            progress.clear()
            sending.finish()
            group.cancelAll()
            // A confirm is waited for until its channel ends, so that has to.
            if window.unconfirmed > 0 { await connection.abort() }
            return try ended.get()
        }
    }

    /// To be called when all is done.
    mutating func finish() throws { try results.finish() }

    private mutating func handle(
        _ happenings: AsyncThrowingStream<Happening, any Error>,
        _ publishing: AMQPChannel,
        _ sending: AsyncStream<Sent>.Continuation
    ) async throws -> Ending {
        for try await happening in happenings {
            switch happening {
            case .delivered(let batch): try take(batch)
            case .confirmed(let index, let outcome): try confirm(index, outcome)
            case .tick: show()
            case .interrupted: stoppedAt = clock.now
            }
            if let ending { return ending }
            publish(on: publishing, sending)
        }
        return .interrupted
    }

    private var ending: Ending? {
        if window.isComplete && window.unconfirmed == 0 { return .complete }
        if let stoppedAt, window.unconfirmed == 0 || clock.now - stoppedAt >= Self.patience { return .interrupted }
        return clock.now - lastSign >= timeout ? .timedOut : nil
    }

    private mutating func publish(on channel: AMQPChannel, _ sending: AsyncStream<Sent>.Continuation) {
        guard stoppedAt == nil, backlog <= 0 || clock.now - lastDelivery >= Self.patience else { return }
        backlog = 0
        while let index = window.next() {
            sending.yield((index, channel.startPublishing(plan.message(index, in: journal.job, at: wallClock.now))))
        }
    }

    private mutating func confirm(_ index: Int, _ outcome: AMQPChannel.PublishOutcome) throws {
        window.confirm()
        lastSign = clock.now
        if case .returned(let reason) = outcome {
            Terminal.complain("no queue takes the commands (\(reason)); start a worker or run declare-topology first")
            throw ExitCode.unreachable
        }
        try journal.add(plan.items[index].line)
    }

    /// Events are acknowledged once they are on the disk.
    private mutating func take(_ batch: [AMQPDelivery]) throws {
        lastDelivery = clock.now
        backlog -= batch.count
        for delivery in batch {
            guard let event = ReceivedEvent(delivery), let id = event.commandID, let index = indices[id] else {
                continue
            }
            lastSign = lastDelivery
            if event.outcome == nil {
                try results.recordPage(event, line: plan.items[index].line)
            } else {
                results.record(event, line: plan.items[index].line)
                if window.end(index) { pace.end(plan.items[index].application) }
            }
        }
        try results.save()
        for delivery in batch { delivery.ack() }
    }

    private mutating func show() {
        let now = clock.now
        if now - lastSample >= .seconds(1) {
            lastSample = now
            pace.sample(at: now)
        }
        let figures = BulkProgress.Figures(
            count: window.count,
            ended: window.ended,
            notSucceeded: results.notSucceeded,
            pace: pace.perSecond(at: now),
            remaining: pace.remaining(at: now),
            silence: now - lastSign
        )
        progress.show(figures, at: now)
    }
}

extension BulkRun {
    private static func forward(
        _ consumer: AMQPConsumer,
        to feed: AsyncThrowingStream<Happening, any Error>.Continuation
    ) async {
        do {
            for try await batch in consumer.deliveries { feed.yield(.delivered(batch)) }
        } catch {
            feed.finish(throwing: error)
        }
    }

    private static func forwardConfirms(
        of sent: AsyncStream<Sent>,
        to feed: AsyncThrowingStream<Happening, any Error>.Continuation
    ) async {
        for await (index, publish) in sent {
            do throws(AMQPError) {
                feed.yield(.confirmed(index, try await publish.outcome()))
            } catch {
                feed.finish(throwing: error)
            }
        }
    }

    private static func tick(_ feed: AsyncThrowingStream<Happening, any Error>.Continuation) async {
        repeat { feed.yield(.tick) } while (try? await SystemClock().sleep(for: tick)) != nil
    }
}
