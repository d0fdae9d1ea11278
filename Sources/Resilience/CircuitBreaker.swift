/// Tells an outage from single failures by what requests came to, and lets one probe through at a time until one
/// succeeds. Pure: time comes in.
package struct CircuitBreaker: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package struct Policy: Sendable, Hashable {
        /// Opens when at least this share of the newest `minimumSamples` requests failed.
        package var failureRatio: Double
        package var minimumSamples: Int
        /// What is older says nothing any more.
        package var window: Duration
        /// Time between two probes.
        package var probe: Duration

        package init(
            failureRatio: Double = 0.8,
            minimumSamples: Int = 50,
            window: Duration = .seconds(10),
            probe: Duration = .seconds(1)
        ) {
            self.failureRatio = failureRatio
            self.minimumSamples = minimumSamples
            self.window = window
            self.probe = probe
        }
    }

    /// The right to send one request. What it comes to counts only for the breaker's state that it was given in:
    /// stragglers of an outage neither prolong nor end it.
    package struct Pass: Sendable, Hashable {
        fileprivate let turn: Int
        package let isProbe: Bool
    }

    package enum Admission: Sendable, Hashable {
        case admitted(Pass)
        /// Nothing but a probe is let through, and none before then.
        case notBefore(Instant)
        /// A probe is under way.
        case whenProbed
    }

    private enum State: Sendable {
        case closed
        case open(probeAt: Instant)
        case probing
    }

    private struct Sample: Sendable {
        let at: Instant
        let failed: Bool
    }

    private let policy: Policy
    private var state = State.closed
    /// One more with every opening and closing.
    private var turn = 0
    private var samples: [Sample] = []
    /// Two of those whose requests have failed since one succeeded.
    private var failing: Set<String> = []
    private var lastSuccess: Instant?

    package init(_ policy: Policy) { self.policy = policy }

    package var isOpen: Bool {
        if case .closed = state { false } else { true }
    }

    package mutating func admit(at now: Instant) -> Admission {
        switch state {
        case .closed: return .admitted(Pass(turn: turn, isProbe: false))
        case .probing: return .whenProbed
        case .open(let probeAt):
            guard now >= probeAt else { return .notBefore(probeAt) }
            state = .probing
            return .admitted(Pass(turn: turn, isProbe: true))
        }
    }

    package func isValid(_ pass: Pass) -> Bool { pass.turn == turn }

    package mutating func succeeded(_ pass: Pass, at now: Instant) {
        guard pass.turn == turn else { return }
        failing = []
        lastSuccess = now
        if pass.isProbe { close() } else { record(Sample(at: now, failed: false)) }
    }

    package mutating func failed(_ pass: Pass, at now: Instant) {
        guard pass.turn == turn else { return }
        if pass.isProbe {
            state = .open(probeAt: now + policy.probe)
            return
        }
        record(Sample(at: now, failed: true))
        guard samples.count >= policy.minimumSamples,
            Double(samples.count(where: \.failed)) >= policy.failureRatio * Double(samples.count)
        else { return }
        open(at: now)
    }

    /// Somebody's request has failed.
    package mutating func noted(failureOf party: String) {
        if failing.count < 2 { failing.insert(party) }
    }

    /// With few requests there is no share to go by. But where somebody gives up who has tried for a window or longer,
    /// others failed too, and nobody has succeeded in all that time, it is not theirs: opens then.
    /// - Parameter since: their first try.
    /// - Returns: whether it is open, so that they need not give up.
    package mutating func opens(insteadOfGivingUpBy party: String, since: Instant, at now: Instant) -> Bool {
        let isOutage =
            now - since >= policy.window && lastSuccess.map { $0 < since } ?? true
            && failing.contains { $0 != party }
        if !isOpen, isOutage { open(at: now) }
        return isOpen
    }

    private mutating func open(at now: Instant) {
        turn += 1
        samples = []
        state = .open(probeAt: now + policy.probe)
    }

    /// Nothing was sent after all, or nobody will know: it says nothing, and the next may probe.
    package mutating func abandoned(_ pass: Pass, at now: Instant) {
        if pass.turn == turn, pass.isProbe { state = .open(probeAt: now) }
    }

    private mutating func close() {
        turn += 1
        state = .closed
    }

    /// Keeps as many as an opening is judged by, so that an outage is seen after so many failures however many
    /// requests succeeded just before.
    private mutating func record(_ sample: Sample) {
        samples.append(sample)
        samples.removeFirst(max(0, samples.count - policy.minimumSamples))
        let old = samples.firstIndex { sample.at - $0.at <= policy.window } ?? samples.endIndex
        samples.removeFirst(old)
    }
}
