/// Decides what one pod does with the permits that one channel brings it. Pure: time comes in, steps go out.
///
/// - A permit without the current epoch is taken away: nobody mints permits by publishing into the queue.
/// - A redelivered permit is never used: it is kept until its last holder has stopped using it, then laid to rest.
/// - Nothing is held longer than `timings.holding`, and nothing at all is asked for without demand.
/// - A permit is handed out only after the broker was heard from, and is valid for `timings.holding` from its delivery
///   and from the moment that the broker was asked: it still counted the permit as ours then, so whoever gets it next
///   gets it later, and waits for as long. A delivery that was long on its way (a cut link) proves nothing by itself.
package struct PermitDesk<Permit: Sendable>: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum Step: Sendable {
        /// Give the permit to the first who waits; its use is good until then.
        case handOut(Permit, until: Instant)
        /// Reject the permit, so that it rests, unless it has been used.
        case giveBack(Permit)
        /// Ack the permit: it is none.
        case takeAway(Permit)
        /// Read the marker and tell its epoch by ``adopt(epoch:)``.
        case look
        /// Make a round trip on the channel and tell by ``answered(asked:)``.
        case prove
        case subscribe
        case unsubscribe
        /// Nothing to do before then, or before something happens.
        case wait(until: Instant?)
    }

    private struct Held: Sendable {
        let permit: Permit
        let redelivered: Bool
        let epoch: String
        let delivered: Instant
        var until: Instant
    }

    private let timings: PermitTimings
    private var epoch: String
    private var pacing: Pacing
    private var fresh: [Held] = []
    private var cooling: [Held] = []
    /// Of an epoch that is not ours: either theirs is stale or ours.
    private var unknown: [Held] = []
    private var alien: [Permit] = []
    /// Handed out, by when their use is no longer good.
    private var lent: [Held] = []
    private var isSubscribed = false
    /// When the broker was asked what it has answered last.
    private var asked: Instant?
    /// Whether that was for the permit that is handed out next.
    private var isJustAnswered = false
    private var lastWanted: Instant

    package init(_ marker: PermitMarker, timings: PermitTimings, now: Instant) {
        self.timings = timings
        epoch = marker.epoch
        pacing = Pacing(requests: marker.terms.requests, per: marker.terms.rest, now: now)
        lastWanted = now
    }

    package mutating func arrived(_ permit: Permit, epoch: String?, redelivered: Bool, at now: Instant) {
        let held = Held(
            permit: permit,
            redelivered: redelivered,
            epoch: epoch ?? "",
            delivered: now,
            until: now + timings.holding
        )
        sort(held)
    }

    private mutating func sort(_ held: Held) {
        if held.epoch != epoch {
            unknown.append(held)
        } else if held.redelivered {
            cooling.append(held)
        } else {
            fresh.append(held)
        }
    }

    /// Tells the epoch that the marker named after everything so far had arrived.
    package mutating func adopt(epoch: String) {
        self.epoch = epoch
        let all = fresh + cooling + unknown
        (fresh, cooling, unknown) = ([], [], [])
        for held in all { sort(held) }
        alien += unknown.map(\.permit)
        unknown = []
    }

    package mutating func subscribed(asked: Instant) {
        isSubscribed = true
        answered(asked: asked)
    }

    package mutating func unsubscribed() { isSubscribed = false }

    /// The broker has answered, on the channel of the permits, what it was asked then.
    package mutating func answered(asked: Instant) {
        self.asked = max(self.asked ?? asked, asked)
        isJustAnswered = true
    }

    /// Nobody took the permit that was last handed out.
    package mutating func takeBack() {
        guard var held = lent.popLast() else { return }
        held.until = held.delivered + timings.holding
        fresh.insert(held, at: 0)
    }

    /// What is held and not used, when the channel is left. Permits that cool are not among it: they go back as
    /// redelivered and cool elsewhere.
    package mutating func clear() -> [Permit] {
        defer { (fresh, cooling, unknown, alien, lent) = ([], [], [], [], []) }
        return (fresh + lent).map(\.permit)
    }

    /// - Parameter wantedFrom: from when on somebody wants a permit; nil while nobody waits.
    package mutating func next(at now: Instant, wantedFrom: Instant?) -> Step {
        if let permit = alien.popLast() { return .takeAway(permit) }
        if !unknown.isEmpty { return .look }
        if let permit = takeOverdue(at: now) { return .giveBack(permit) }
        if let wantedFrom, wantedFrom <= now {
            lastWanted = now
            if !isSubscribed { return .subscribe }
            if let first = fresh.first, now >= pacing.earliest {
                guard let asked, now < asked + (isJustAnswered ? timings.holding : timings.proof) else {
                    return .prove
                }
                let until = min(asked, first.delivered) + timings.holding
                lend(first, until: until, at: now)
                return .handOut(first.permit, until: until)
            }
        } else if now >= lastWanted + timings.idle {
            if isSubscribed { return .unsubscribe }
            if !fresh.isEmpty { return .giveBack(fresh.removeFirst().permit) }
        }
        isJustAnswered = false
        return .wait(until: nextChange(at: now, wantedFrom: wantedFrom))
    }

    private mutating func lend(_ held: Held, until instant: Instant, at now: Instant) {
        fresh.removeFirst()
        var held = held
        held.until = instant
        lent.append(held)
        pacing.started(at: now)
        isJustAnswered = false
    }

    private mutating func takeOverdue(at now: Instant) -> Permit? {
        if let first = cooling.first, first.until <= now { return cooling.removeFirst().permit }
        if let first = fresh.first, first.until <= now { return fresh.removeFirst().permit }
        if let first = lent.first, first.until <= now { return lent.removeFirst().permit }
        return nil
    }

    private func nextChange(at now: Instant, wantedFrom: Instant?) -> Instant? {
        var instants = [cooling.first?.until, fresh.first?.until, lent.first?.until]
        if let wantedFrom, wantedFrom <= now {
            if !fresh.isEmpty { instants.append(pacing.earliest) }
        } else {
            instants.append(wantedFrom)
            if isSubscribed || !fresh.isEmpty { instants.append(lastWanted + timings.idle) }
        }
        return instants.compactMap { $0 }.min()
    }
}
