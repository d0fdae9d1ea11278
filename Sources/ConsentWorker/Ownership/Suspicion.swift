import ConsentContract
import NIOConcurrencyHelpers
import Resilience

/// Finds the message that ends one worker after the other, and accuses no other.
///
/// Owners that ended without a hand-over are counted in the token. From the third in a row on, redelivered messages run
/// one at a time, each written into the token before it starts: who takes over next knows what ran. A message that ran
/// at the end of three owners is not carried out any more. Times a message was delivered accuse nobody: every channel
/// that closes raises those of a whole window.
final class Suspicion: Sendable {
    /// What the token says of the owners before.
    struct Record: Sendable, Hashable {
        /// Take-overs in a row from an owner that had not handed over.
        var takeOvers = 0
        /// The message that ran alone last.
        var suspect: String?
        /// Owners that ended while it did.
        var crashes = 0

        /// As the owner after one that has not handed over finds it.
        var afterCrash: Record {
            var record = self
            record.takeOvers += 1
            if suspect != nil { record.crashes += 1 }
            return record
        }
    }

    enum Verdict: Sendable { case mayRun, isGuilty }

    private struct State {
        var record: Record
        var isWritten = true
        var writers: [OneShot<Bool>] = []
    }

    private static let takeOversBefore = 3
    private static let crashesOfGuilty = 3
    /// After as long without an end nobody is suspected any more.
    private static let healthyAfter = Duration.seconds(60)

    /// One at a time in the whole process: what ends it must not be mistaken for another application's message.
    private let alone: ConcurrencyGate
    private let since: ContinuousClock.Instant
    private let clock: any MonotonicClock
    private let asked = Bell()
    private let state: NIOLockedValueBox<State>

    init(_ record: Record, alone: ConcurrencyGate, clock: any MonotonicClock) {
        self.alone = alone
        self.clock = clock
        since = clock.now
        state = NIOLockedValueBox(State(record: record))
    }

    /// Whether redelivered messages are to run one at a time.
    var isOn: Bool { state.withLockedValue { $0.record.takeOvers >= Self.takeOversBefore } }

    /// Runs `body` with nothing else that is suspected beside it, and with the message's name in the token.
    /// - Throws: `CancellationError`; what `body` throws.
    func runAlone(_ message: GUID, _ body: (Verdict) async throws -> Void) async throws {
        try await alone.withPlace {
            let (verdict, written) = state.withLockedValue { state -> (Verdict, OneShot<Bool>) in
                let written = OneShot<Bool>()
                if state.record.suspect != message.description {
                    state.record.suspect = message.description
                    state.record.crashes = 0
                }
                state.isWritten = false
                state.writers.append(written)
                return (state.record.crashes >= Self.crashesOfGuilty ? .isGuilty : .mayRun, written)
            }
            asked.ring()
            guard await written.wait(orWhenCancelled: false) else { throw CancellationError() }
            try await body(verdict)
        }
    }

    // MARK: - The owner's side

    /// Returns when the token is to be written: at `instant`, or earlier for a message that is about to run.
    /// - Throws: `CancellationError` when the task is cancelled first.
    func waitForWriting(until instant: ContinuousClock.Instant) async throws {
        let stroke = asked.arm()
        guard state.withLockedValue({ $0.isWritten }) else { return }
        try await Bell.wait(for: stroke, until: instant, clock: clock)
    }

    /// What to write now; followed by a call of `written` when the token has been.
    func toWrite() -> (record: Record, written: @Sendable () -> Void) {
        state.withLockedValue { state in
            if clock.now - since >= Self.healthyAfter {
                state.record.takeOvers = 0
                state.record.crashes = 0
            }
            state.isWritten = true
            defer { state.writers = [] }
            return (state.record, { [writers = state.writers] in for writer in writers { writer.resolve(true) } })
        }
    }
}
