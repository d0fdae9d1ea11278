import Resilience
import TestSupport
import Testing

/// Start nothing more, finish what runs.
struct DrainSignalTests {
    @Test func aWaitEndsWhenTheSignalIsRaised() async throws {
        let signal = DrainSignal()
        let clock = ManualClock()
        let wait = Task {
            try await signal.cancelWhenRaised { try await clock.sleep(for: .seconds(60)) }
        }
        await clock.whenSleeping()
        #expect(!signal.isRaised)
        signal.raise()
        await #expect(throws: CancellationError.self) { try await wait.value }
        #expect(signal.isRaised && clock.sleepers == 0)
    }

    @Test func aRaisedSignalEndsLaterWaitsAtOnce() async throws {
        let signal = DrainSignal()
        signal.raise()
        signal.raise()
        await #expect(throws: CancellationError.self) {
            try await signal.cancelWhenRaised { try await ManualClock().sleep(for: .seconds(60)) }
        }
        try await signal.wait()
    }

    @Test func whatEndsByItselfIsReturnedAndErrorsPass() async throws {
        struct Broken: Error {}
        let signal = DrainSignal()
        let value = try await signal.cancelWhenRaised { 7 }
        #expect(value == 7)
        await #expect(throws: Broken.self) { try await signal.cancelWhenRaised { throw Broken() } }
    }

    @Test func cancellingTheTaskEndsTheWaitToo() async throws {
        let signal = DrainSignal()
        let clock = ManualClock()
        let wait = Task {
            try await signal.cancelWhenRaised { try await clock.sleep(for: .seconds(60)) }
        }
        await clock.whenSleeping()
        wait.cancel()
        await #expect(throws: CancellationError.self) { try await wait.value }
        let waiting = Task { try await signal.wait() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(!signal.isRaised)
    }
}
