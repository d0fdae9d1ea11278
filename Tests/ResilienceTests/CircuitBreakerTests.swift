import Resilience
import Testing

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    private let start = ContinuousClock.now
    private let policy = CircuitBreaker.Policy(
        failureRatio: 0.8,
        minimumSamples: 10,
        window: .seconds(10),
        probe: .seconds(1)
    )

    private func pass(_ breaker: inout CircuitBreaker, _ at: Duration) throws -> CircuitBreaker.Pass {
        let admission = breaker.admit(at: start + at)
        guard case .admitted(let pass) = admission else { throw Unexpected(admission: admission) }
        return pass
    }

    private struct Unexpected: Error { let admission: CircuitBreaker.Admission }

    private func send(_ breaker: inout CircuitBreaker, _ outcomes: [Bool], at: Duration = .zero) throws {
        for succeeds in outcomes {
            let pass = try pass(&breaker, at)
            if succeeds { breaker.succeeded(pass, at: start + at) } else { breaker.failed(pass, at: start + at) }
        }
    }

    /// Open since `start`.
    private func opened() throws -> CircuitBreaker {
        var breaker = CircuitBreaker(policy)
        try send(&breaker, Array(repeating: false, count: 10))
        #expect(breaker.isOpen)
        return breaker
    }

    @Test("opens at the share of failures, not below it, and not before there are enough requests")
    func opening() throws {
        var breaker = CircuitBreaker(policy)
        try send(&breaker, Array(repeating: false, count: 9))
        #expect(!breaker.isOpen)
        breaker = CircuitBreaker(policy)
        try send(&breaker, [true, true, true] + Array(repeating: false, count: 7))
        #expect(!breaker.isOpen)
        try send(&breaker, [false])
        #expect(breaker.isOpen)
    }

    @Test("sees an outage after as many failures however many requests succeeded before")
    func newestCount() throws {
        var breaker = CircuitBreaker(policy)
        try send(&breaker, Array(repeating: true, count: 500) + Array(repeating: false, count: 7))
        #expect(!breaker.isOpen)
        try send(&breaker, [false])
        #expect(breaker.isOpen)
    }

    @Test("forgets what is older than its window")
    func window() throws {
        var breaker = CircuitBreaker(policy)
        try send(&breaker, Array(repeating: false, count: 9))
        try send(&breaker, Array(repeating: false, count: 9), at: .seconds(11))
        #expect(!breaker.isOpen)
        try send(&breaker, [false], at: .seconds(11))
        #expect(breaker.isOpen)
    }

    @Test("lets one probe through at a time, an interval after the last one failed")
    func probes() throws {
        var breaker = try opened()
        #expect(breaker.admit(at: start) == .notBefore(start + .seconds(1)))
        let probe = try pass(&breaker, .seconds(1))
        #expect(probe.isProbe)
        #expect(breaker.admit(at: start + .seconds(5)) == .whenProbed)
        breaker.failed(probe, at: start + .seconds(6))
        #expect(breaker.admit(at: start + .seconds(6)) == .notBefore(start + .seconds(7)))
        #expect(breaker.isOpen)
    }

    @Test("closes with the first probe that succeeds, and starts counting anew")
    func closing() throws {
        var breaker = try opened()
        let probe = try pass(&breaker, .seconds(1))
        breaker.succeeded(probe, at: start + .seconds(1))
        #expect(!breaker.isOpen)
        try send(&breaker, Array(repeating: false, count: 9), at: .seconds(1))
        #expect(!breaker.isOpen)
        try send(&breaker, [false], at: .seconds(1))
        #expect(breaker.isOpen)
    }

    @Test("a probe that was not sent lets the next one through at once")
    func abandonedProbe() throws {
        var breaker = try opened()
        let probe = try pass(&breaker, .seconds(1))
        breaker.abandoned(probe, at: start + .seconds(2))
        #expect(try pass(&breaker, .seconds(2)).isProbe)
    }

    @Test("opens for whoever gives up while others fail too and nobody succeeds")
    func fewRequests() throws {
        var breaker = CircuitBreaker(policy)
        func opens(since: Int, at: Int) -> Bool {
            breaker.opens(insteadOfGivingUpBy: "a", since: start + .seconds(since), at: start + .seconds(at))
        }
        breaker.noted(failureOf: "a")
        let alone = opens(since: 0, at: 20)
        #expect(!alone, "one alone may be the reason itself")
        breaker.noted(failureOf: "b")
        let early = opens(since: 11, at: 20)
        #expect(!early, "it was tried for less than a window")
        try send(&breaker, [true], at: .seconds(20))
        breaker.noted(failureOf: "b")
        let besideSuccess = opens(since: 15, at: 30)
        #expect(!besideSuccess, "somebody has succeeded")
        let withOthers = opens(since: 21, at: 31)
        #expect(withOthers && breaker.isOpen)
        let probe = try pass(&breaker, .seconds(32))
        breaker.succeeded(probe, at: start + .seconds(32))
        let afterwards = opens(since: 33, at: 50)
        #expect(!afterwards)
    }

    @Test("stragglers neither end an outage nor begin the next")
    func stragglers() throws {
        var breaker = CircuitBreaker(policy)
        let stragglers = try (0..<20).map { _ in try pass(&breaker, .zero) }
        try send(&breaker, Array(repeating: false, count: 10))
        #expect(breaker.isOpen && !breaker.isValid(stragglers[0]))
        breaker.succeeded(stragglers[0], at: start)
        #expect(breaker.isOpen)
        let probe = try pass(&breaker, .seconds(1))
        breaker.succeeded(probe, at: start + .seconds(1))
        for straggler in stragglers { breaker.failed(straggler, at: start + .seconds(1)) }
        #expect(!breaker.isOpen)
    }
}
