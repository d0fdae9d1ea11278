import NIOConcurrencyHelpers
import Resilience

/// Who waits for a permit of one key, in the order of a ``WaitingLine``, and until when nobody may have one. Outlives connections.
final class PermitDemand: Sendable {
    private struct State {
        var waiters = WaitingLine<OneShot<HeldPermit?>>()
        var pausedUntil: ContinuousClock.Instant?
    }

    private let state = NIOLockedValueBox(State())
    /// Rings when something changes here.
    let bell = Bell()

    /// - Returns: nil when the task is cancelled meanwhile.
    func permit(_ precedence: Precedence = .firstTry) async -> HeldPermit? {
        let waiter = OneShot<HeldPermit?>()
        state.withLockedValue { $0.waiters.append(waiter, precedence) }
        bell.ring()
        if let permit = await waiter.wait(orWhenCancelled: nil) { return permit }
        state.withLockedValue { state in state.waiters.removeAll { $0 === waiter } }
        bell.ring()
        return nil
    }

    /// Gives a permit to the first who waits; false if nobody does.
    func serve(_ permit: HeldPermit) -> Bool {
        state.withLockedValue { state in
            while let waiter = state.waiters.popFirst() {
                if waiter.resolve(permit) { return true }
            }
            return false
        }
    }

    func pause(until instant: ContinuousClock.Instant) {
        state.withLockedValue { $0.pausedUntil = max($0.pausedUntil ?? instant, instant) }
        bell.ring()
    }

    func isPaused(at now: ContinuousClock.Instant) -> Bool {
        state.withLockedValue { state in state.pausedUntil.map { now < $0 } ?? false }
    }

    /// From when on somebody wants a permit, nil while nobody waits.
    func wantedFrom(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        state.withLockedValue { $0.waiters.isEmpty ? nil : $0.pausedUntil ?? now }
    }
}
