/// The exact log of one sender's last sends: at most `limit.requests` sent or about to be sent in any
/// `limit.rest`. Pure; time comes in.
///
/// A permit counts from the moment it is taken, and after its use until it has rested: a late send is merely late.
package struct SendLog {
    package typealias Instant = ContinuousClock.Instant

    package enum Admission: Sendable, Hashable {
        case admitted
        case notBefore(Instant)
        /// All permits are taken and unused: the next use or return decides.
        case whenUsed
    }

    private let limit: RateLimit
    /// Times of use that still count, oldest first.
    private var uses: [Instant] = []
    private var taken = 0
    private var pacing: Pacing
    private var pausedUntil: Instant?

    /// Takes that may go back to back before they are spaced.
    package static let burst = Pacing.burst

    package init(limit: RateLimit, now: Instant) {
        self.limit = limit
        pacing = Pacing(requests: limit.requests, per: limit.rest, now: now)
    }

    /// Takes a permit, or says when to ask again.
    package mutating func take(at now: Instant) -> Admission {
        if let pausedUntil {
            if now < pausedUntil { return .notBefore(pausedUntil) }
            self.pausedUntil = nil
        }
        uses.removeFirst(uses.firstIndex { now < $0 + limit.rest } ?? uses.count)
        if uses.count + taken >= limit.requests {
            return uses.first.map { .notBefore($0 + limit.rest) } ?? .whenUsed
        }
        guard now >= pacing.earliest else { return .notBefore(pacing.earliest) }
        pacing.started(at: now)
        taken += 1
        return .admitted
    }

    package mutating func use(at now: Instant) {
        taken -= 1
        // Uses come from the sending thread in order, but the clock is read before the lock is had.
        uses.insert(now, at: uses.firstIndex { $0 > now } ?? uses.count)
    }

    package mutating func giveBack() {
        taken -= 1
    }

    package func isPaused(at now: Instant) -> Bool { pausedUntil.map { now < $0 } ?? false }

    package mutating func pause(until instant: Instant) {
        pausedUntil = max(pausedUntil ?? instant, instant)
    }
}
