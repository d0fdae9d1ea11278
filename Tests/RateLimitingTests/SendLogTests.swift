import RateLimiting
import TestSupport
import Testing

@Suite("Send log", .timeLimit(.minutes(1)))
struct SendLogTests {
    private let limit = RateLimit(requests: 50)
    private let start = ContinuousClock.now

    /// Sends as soon as it may, for `duration`, and returns when.
    private func saturate(_ limit: RateLimit, for duration: Duration) -> [Duration] {
        var log = SendLog(limit: limit, now: start)
        var now = start
        var sends: [Duration] = []
        while now - start < duration {
            switch log.take(at: now) {
            case .admitted:
                log.use(at: now)
                sends.append(now - start)
            case .notBefore(let instant):
                #expect(instant > now)
                now = instant
            case .whenUsed:
                Issue.record("nothing is held unused")
                return sends
            }
        }
        return sends
    }

    @Test("the first five go back to back, further ones are spaced")
    func burst() {
        let sends = saturate(limit, for: .seconds(1))
        #expect(sends.prefix(SendLog.burst).allSatisfy { $0 == .zero })
        for (index, send) in sends.dropFirst(SendLog.burst).enumerated() {
            #expect(send == limit.rest / 50 * (index + 1))
        }
    }

    @Test("a burst is there again after a rest, but never more than one")
    func burstAfterRest() {
        var log = SendLog(limit: limit, now: start)
        let later = start + .seconds(100)
        for _ in 0..<SendLog.burst {
            #expect(log.take(at: later) == .admitted)
            log.use(at: later)
        }
        #expect(log.take(at: later) == .notBefore(later + limit.rest / 50))
    }

    @Test("with work and no latency it reaches 95 % of the limit", arguments: [1, 5, 20, 50, 100])
    func utilisation(requests: Int) {
        let sends = saturate(RateLimit(requests: requests), for: .seconds(60))
        #expect(Double(sends.count) >= 0.95 * Double(requests * 60))
        #expect(sends.count <= requests * 60)
    }

    @Test("a permit that is held counts, however long it is held")
    func held() {
        var log = SendLog(limit: RateLimit(requests: 2, margin: .zero), now: start)
        #expect(log.take(at: start) == .admitted)
        #expect(log.take(at: start) == .admitted)
        #expect(log.take(at: start + .seconds(100)) == .whenUsed)
        log.use(at: start + .seconds(100))
        #expect(log.take(at: start + .seconds(100)) == .notBefore(start + .seconds(101)))
        #expect(log.take(at: start + .seconds(101)) == .admitted)
    }

    @Test("a permit that goes back unused is free at once")
    func givenBack() {
        var log = SendLog(limit: RateLimit(requests: 1), now: start)
        #expect(log.take(at: start) == .admitted)
        log.giveBack()
        let later = start + .seconds(10)
        #expect(log.take(at: later) == .admitted)
        log.use(at: later)
        #expect(log.take(at: later) != .admitted)
    }

    @Test("nothing is taken in a pause; of several the longest counts")
    func pause() {
        var log = SendLog(limit: limit, now: start)
        log.pause(until: start + .seconds(9))
        log.pause(until: start + .seconds(4))
        #expect(log.take(at: start + .seconds(5)) == .notBefore(start + .seconds(9)))
        #expect(log.take(at: start + .seconds(9)) == .admitted)
        log.pause(until: start + .seconds(8))
        #expect(log.take(at: start + .seconds(9)) == .admitted)
    }

    @Test(
        "no sliding window ever holds more than the limit, whatever the order of events",
        arguments: 0..<60 as Range<UInt64>
    )
    func property(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let requests = [1, 2, 7, 50].randomElement(using: &generator) ?? 1
        let limit = RateLimit(requests: requests, margin: .milliseconds(Int.random(in: 0...30, using: &generator)))
        var log = SendLog(limit: limit, now: start)
        var now = start
        // When each permit that is held was taken.
        var held: [ContinuousClock.Instant] = []
        var uses: [ContinuousClock.Instant] = []
        var pausedUntil = start
        for _ in 0..<4000 {
            switch Int.random(in: 0..<20, using: &generator) {
            case 0..<8:
                switch log.take(at: now) {
                case .admitted:
                    #expect(now >= pausedUntil)
                    held.append(now)
                case .notBefore(let instant): #expect(instant > now)
                case .whenUsed: #expect(held.count == requests)
                }
            case 8..<13 where !held.isEmpty:
                let taken = held.remove(at: Int.random(in: 0..<held.count, using: &generator))
                // The sending thread reads its clock some time before it has the lock.
                let used = max(taken, now - .microseconds(Int.random(in: 0...300, using: &generator)))
                log.use(at: used)
                uses.append(used)
            case 13 where !held.isEmpty:
                held.removeLast()
                log.giveBack()
            case 14 where Int.random(in: 0..<20, using: &generator) == 0:
                pausedUntil = max(pausedUntil, now + .milliseconds(Int.random(in: 0...2000, using: &generator)))
                log.pause(until: pausedUntil)
            case 15 where Int.random(in: 0..<30, using: &generator) == 0:
                now += .seconds(Int.random(in: 0...5, using: &generator))
            default:
                now += .microseconds(Int.random(in: 0...40_000, using: &generator))
            }
            #expect(held.count <= requests)
        }
        uses.sort()
        for (first, last) in zip(uses, uses.dropFirst(requests)) where last - first < limit.rest {
            Issue.record("\(requests + 1) sends within \(last - first)")
            return
        }
        #expect(uses.count > requests)
    }
}
