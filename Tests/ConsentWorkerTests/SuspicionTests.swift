import ConsentContract
import Resilience
import TestSupport
import Testing

@testable import ConsentWorker

@Suite("Suspicion", .timeLimit(.minutes(1)))
struct SuspicionTests {
    private let clock = ManualClock()
    private let message = GUID.random()

    /// Runs a message under an owner that writes the token whenever it is asked to.
    private func verdict(_ record: Suspicion.Record) async throws -> (Suspicion.Verdict, written: [Suspicion.Record]) {
        let suspicion = Suspicion(record, alone: ConcurrencyGate(limit: 1), clock: clock)
        let written = EventLog<Suspicion.Record>()
        let owner = Task { [clock] in
            while true {
                try await suspicion.waitForWriting(until: clock.now + .seconds(5))
                let (record, done) = suspicion.toWrite()
                written.append(record)
                done()
            }
        }
        defer { owner.cancel() }
        let verdicts = EventLog<Suspicion.Verdict>()
        try await suspicion.runAlone(message) { verdict in
            #expect(written.events.last?.suspect == message.description, "it runs before the token names it")
            verdicts.append(verdict)
        }
        return (try #require(verdicts.events.first), written.events)
    }

    @Test("is on from the third take-over in a row on")
    func threshold() {
        for takeOvers in 0...4 {
            let suspicion = Suspicion(.init(takeOvers: takeOvers), alone: ConcurrencyGate(limit: 1), clock: clock)
            #expect(suspicion.isOn == (takeOvers >= 3))
        }
    }

    @Test("a message is guilty when it ran at the end of three owners, and not before")
    func guilt() async throws {
        var record = Suspicion.Record(takeOvers: 3)
        for crashes in 0..<3 {
            let (verdict, written) = try await verdict(record)
            #expect(verdict == .mayRun && written.last?.crashes == crashes)
            record = try #require(written.last).afterCrash
        }
        #expect(try await verdict(record).0 == .isGuilty)
    }

    @Test("another message than the one that ran begins at nothing")
    func innocence() async throws {
        let record = Suspicion.Record(takeOvers: 9, suspect: GUID.random().description, crashes: 5)
        let (verdict, written) = try await verdict(record)
        #expect(verdict == .mayRun && written.last?.crashes == 0)
    }

    @Test("is forgotten after a minute without an end")
    func health() {
        let suspicion = Suspicion(
            .init(takeOvers: 5, suspect: "x", crashes: 2),
            alone: ConcurrencyGate(limit: 1),
            clock: clock
        )
        clock.advance(by: .seconds(59))
        #expect(suspicion.toWrite().record.takeOvers == 5 && suspicion.isOn)
        clock.advance(by: .seconds(1))
        #expect(suspicion.toWrite().record.takeOvers == 0 && !suspicion.isOn)
    }

    @Test("messages of two applications do not run alone beside each other")
    func aloneInTheProcess() async throws {
        let alone = ConcurrencyGate(limit: 1)
        let first = Suspicion(.init(takeOvers: 3), alone: alone, clock: clock)
        let second = Suspicion(.init(takeOvers: 3), alone: alone, clock: clock)
        let runs = OneShot<Bool>()
        let end = OneShot<Bool>()
        let holder = Task.immediate {
            try await first.runAlone(GUID.random()) { _ in
                runs.resolve(true)
                _ = await end.wait()
            }
        }
        first.toWrite().written()
        _ = await runs.wait()
        let log = EventLog<Int>()
        let other = Task.immediate { try await second.runAlone(GUID.random()) { _ in log.append(1) } }
        // It has not even asked to be written.
        #expect(second.toWrite().record.suspect == nil)
        end.resolve(true)
        try await holder.value
        try await second.waitForWriting(until: clock.now + .seconds(60))
        second.toWrite().written()
        try await other.value
        #expect(log.events == [1])
    }
}
