import Testing
import TestSupport

@testable import ConsentWorker

/// How long a pod may act on one proof of its ownership.
struct LeaseTests {
    @Test func itEndsAtItsTimeAndEachRenewalMovesItOn() {
        let clock = ManualClock()
        let lease = Lease(until: clock.now + .seconds(10), clock: clock)
        clock.advance(by: .seconds(9))
        #expect(lease.isValid)
        lease.extend(to: clock.now + .seconds(10))
        clock.advance(by: .seconds(9))
        #expect(lease.isValid)
        clock.advance(by: .seconds(1))
        #expect(!lease.isValid)
    }

    @Test func oneThatIsOverStaysSoWhateverComesLate() {
        let clock = ManualClock()
        let lease = Lease(until: clock.now + .seconds(10), clock: clock)
        clock.advance(by: .seconds(10))
        lease.extend(to: clock.now + .seconds(10))
        #expect(!lease.isValid)
    }

    @Test func itCanBeGivenUpAndNeverGetsShorterByARenewal() {
        let clock = ManualClock()
        let lease = Lease(until: clock.now + .seconds(10), clock: clock)
        lease.extend(to: clock.now + .seconds(5))
        #expect(lease.expiry == clock.now + .seconds(10))
        lease.expire()
        #expect(!lease.isValid)
    }
}
