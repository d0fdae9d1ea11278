import AMQP
import ConsentContract
import ConsentWorker
import Resilience

/// Removes letters, in as many rounds as it needs until they are gone.
struct LetterDrop {
    let filter: LetterFilter
    let limit: Int
    let interrupt: DrainSignal
    let now = SystemWallClock().now

    private(set) var dropped = 0
    private(set) var matching = 0
    /// How many letters there were at the beginning.
    private(set) var waiting = 0
    /// What was found in the latest round.
    private(set) var found: [KeptLetter] = []
    private(set) var note: String?
    private var gone: Set<KeptLetter> = []
    private var deliveries: [AMQPDelivery] = []

    init(filter: LetterFilter, limit: Int, interrupt: DrainSignal) {
        self.filter = filter
        self.limit = limit
        self.interrupt = interrupt
    }

    var isInterrupted: Bool { interrupt.isRaised && dropped < matching }

    mutating func run(_ connection: AMQPConnection) async throws {
        while try await round(connection) {}
    }

    /// Only tells what would be dropped.
    mutating func look(_ connection: AMQPConnection) async throws {
        let reading = try await read(connection)
        await reading.leave()
    }

    /// Returns whether another round may have something to do.
    private mutating func round(_ connection: AMQPConnection) async throws -> Bool {
        let reading = try await read(connection)
        let again = deliveries.count - found.count
        let settled = try await LetterSettlement.settle(deliveries, on: reading.channel, interrupt)
        await reading.leave()
        let count = max(0, settled - again)
        dropped += count
        gone.formUnion(found.prefix(count))
        guard !interrupt.isRaised else { return false }
        return settled > LetterSettlement.certain || (reading.note != nil && count > 0)
    }

    /// Finds what matches of the letters that were there at first, and what is still there of the dropped ones.
    private mutating func read(_ connection: AMQPConnection) async throws -> LetterReading {
        let isFirst = waiting == 0
        var known = isFirst ? .max : waiting - dropped
        var again: [AMQPDelivery] = []
        var new: [AMQPDelivery] = []
        found = []
        let reading = try await LetterReading.read(connection) { delivery in
            let letter = KeptLetter(properties: delivery.properties, body: delivery.body)
            guard !gone.contains(letter) else { return again.append(delivery.withoutContent) }
            known -= 1
            guard known >= 0, dropped + new.count < limit, filter.matches(letter, at: now) else { return }
            found.append(letter)
            new.append(delivery.withoutContent)
        }
        deliveries = again + new
        matching += found.count
        if isFirst { waiting = reading.waiting }
        note = reading.note
        return reading
    }
}
