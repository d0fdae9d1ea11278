import Resilience
import Testing

@Suite("Pacemaker", .timeLimit(.minutes(1)))
struct PacemakerTests {
    @Test func onePassesAnInterval() {
        let pacemaker = Pacemaker(every: .seconds(60))
        let start = ContinuousClock.now
        let allowed = [0, 0, 59, 60, 61, 119, 121].map { pacemaker.allows(at: start + .seconds($0)) }
        #expect(allowed == [true, false, false, true, false, false, true])
    }
}
