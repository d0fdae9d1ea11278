import AMQP
import ConsentContract
import ConsentWorker
import JSON
import Resilience

/// One replay, in as many rounds as it needs.
struct LetterReplay {
    /// A round holds its letters while it lasts; the broker allows that for half an hour.
    private static let longestRound = Duration.seconds(600)

    let filter: LetterFilter
    let limit: Int?
    let rate: Double
    let isDryRun: Bool
    let asJSON: Bool
    let interrupt: DrainSignal

    private(set) var isInterrupted = false
    private let clock = SystemClock()
    private let now = SystemWallClock().now
    private var tally = ReplayTally()
    private var replayed: [GUID: ReplayPlan.Replayed] = [:]
    private var progress = ProgressLine()
    private var nextStart: ContinuousClock.Instant?
    /// How many letters there were at the beginning.
    private var atFirst: Int?

    init(filter: LetterFilter, limit: Int?, rate: Double, isDryRun: Bool, asJSON: Bool, interrupt: DrainSignal) {
        self.filter = filter
        self.limit = limit
        self.rate = rate
        self.isDryRun = isDryRun
        self.asJSON = asJSON
        self.interrupt = interrupt
    }

    mutating func run(on connection: AMQPConnection) async throws {
        let publishing = try await connection.openChannel()
        try await publishing.selectConfirms()
        while try await round(connection, publishing) {}
    }

    /// What has been done, also if it ended early.
    func report() {
        let json = { tally.json(isDryRun: isDryRun, isInterrupted: isInterrupted).text }
        Terminal.say(asJSON ? json() : tally.text(isDryRun: isDryRun, isInterrupted: isInterrupted))
    }

    /// Returns whether another round may have something to do.
    private mutating func round(_ connection: AMQPConnection, _ publishing: AMQPChannel) async throws -> Bool {
        var held = HeldLetters(known: atFirst.map { $0 - tally.settled } ?? .max, replayed: replayed)
        let reading = try await LetterReading.read(connection) { held.add($0, matching: filter, at: now) }
        if atFirst == nil && !held.matching.contains(true) { LetterQueue.say(nothingMatches: reading.waiting) }
        atFirst = atFirst ?? reading.waiting
        let remaining = limit.map { $0 - tally.replayed }
        let plan = ReplayPlan(held.letters, matching: held.matching, replayed: replayed, limit: remaining)
        tally.beginRound()
        let isComplete: Bool
        do {
            isComplete = try await carryOut(plan, held, publishing)
        } catch {
            progress.clear()
            await reading.leave()
            throw error
        }
        progress.clear()
        await reading.leave()
        let isFull = limit.map { tally.replayed >= $0 } ?? false
        let hasMore = tally.settledInRound > 0 && !isFull && (!isComplete || reading.note != nil)
        let mayBeLeft = tally.settledInRound > LetterSettlement.certain
        if !isDryRun && !isInterrupted && (hasMore || mayBeLeft) { return true }
        if let note = reading.note { Terminal.complain(note) }
        return false
    }

    /// Returns whether the whole plan was carried out.
    private mutating func carryOut(
        _ plan: ReplayPlan,
        _ held: HeldLetters,
        _ publishing: AMQPChannel
    ) async throws -> Bool {
        let end = clock.now + Self.longestRound
        let total = tally.replayed + plan.replays
        for step in plan.steps {
            if interrupt.isRaised { isInterrupted = true }
            guard !isInterrupted else { return false }
            switch held.action(step) {
            case .settle:
                held.deliveries[step.index].ack()
                tally.settleAgain()
            case .skip(let reason):
                tally.skip(reason)
                tell(held.letters[step.index], "skip", reason)
            case .followDuplicate:
                tell(held.letters[step.index], "remove", "it is a duplicate of one that is replayed")
            case .replay(let message, let duplicates):
                if !isDryRun {
                    guard let message, clock.now < end else { return false }
                    guard await pace() else {
                        isInterrupted = true
                        return false
                    }
                    try await LetterSettlement.publish(message, on: publishing)
                    for index in [step.index] + duplicates { held.deliveries[index].ack() }
                    if let command = held.letters[step.index].commandID {
                        replayed[command] = ReplayPlan.Replayed(held.letters[step.index])
                    }
                }
                tally.replay(duplicates: duplicates.count)
                tell(held.letters[step.index], "replay", nil)
                progress.show("Replayed \(tally.replayed) of \(total); Ctrl-C ends")
            }
        }
        return true
    }

    /// Waits for the next one's turn; false if interrupted meanwhile.
    private mutating func pace() async -> Bool {
        let turn = max(nextStart ?? clock.now, clock.now)
        nextStart = turn + .seconds(1) / rate
        let wait = turn - clock.now
        guard wait > .zero else { return true }
        let clock = clock
        return (try? await interrupt.cancelWhenRaised { try await clock.sleep(for: wait) }) != nil
    }

    /// In a dry run, what would become of a letter.
    private func tell(_ letter: KeptLetter, _ action: String, _ reason: String?) {
        guard isDryRun else { return }
        guard asJSON else {
            let id = letter.commandID?.description ?? "(no command ID)"
            let line = "\(action)  \(id)  \(Printable.text(letter.category))" + (reason.map { ": \($0)" } ?? "")
            return Terminal.say(line)
        }
        var object = letter.json.object ?? JSONObject()
        object.append("action", .string(action))
        object.append("reason", JSONValue(reason))
        Terminal.say(JSONValue.object(object).text)
    }
}
