import RateLimiting
import Testing

@Suite("Permit census")
struct PermitCensusTests {
    private func marker(_ epoch: String = "e", strict: Bool = false) -> PermitMarker {
        PermitMarker(
            terms: PermitTerms(requests: 50, restMilliseconds: 1000, strict: strict),
            version: 1,
            epoch: epoch
        )
    }

    @Test(
        "permits are whole if those ready and those that consumers may hold can add up to all",
        arguments: [
            (50, 0, true), (51, 0, false), (51, 9, false), (49, 0, false), (49, 1, true), (44, 3, true), (43, 3, false),
        ]
    )
    func arithmetic(ready: Int, consumers: Int, isWhole: Bool) {
        var census = PermitCensus()
        let verdicts = (1...3).map { _ in
            census.counted(ready: ready, consumers: consumers, maxHeld: 2, of: marker())
        }
        #expect(verdicts == [false, false, !isWhole])
    }

    @Test("one good count in between begins again, and so does a verdict")
    func inARow() {
        var census = PermitCensus()
        let ready = [49, 49, 50, 49, 49, 49, 49, 49, 49, 49]
        let verdicts = ready.map { census.counted(ready: $0, consumers: 0, maxHeld: 1, of: marker()) }
        #expect(verdicts == [false, false, false, false, false, true, false, false, true, false])
    }

    @Test("counts of other permits, or from before a gap, do not add up")
    func otherPermits() {
        var census = PermitCensus()
        var verdicts = ["a", "a", "b", "b"].map { epoch in
            census.counted(ready: 49, consumers: 0, maxHeld: 1, of: marker(epoch))
        }
        census.reset()
        verdicts.append(census.counted(ready: 49, consumers: 0, maxHeld: 1, of: marker("b")))
        #expect(verdicts == [false, false, false, false, false])
    }

    @Test("in strict mode a request that hangs for half a minute is no loss")
    func strict() {
        var census = PermitCensus()
        let verdicts = (1...12).map { _ in
            census.counted(ready: 49, consumers: 0, maxHeld: 1, of: marker(strict: true))
        }
        #expect(verdicts == Array(repeating: false, count: 11) + [true])
    }
}
