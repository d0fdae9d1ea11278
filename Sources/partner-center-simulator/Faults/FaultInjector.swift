import NIOConcurrencyHelpers

/// The faults in force, and how often each was met.
final class FaultInjector: Sendable {
    struct Entry: Encodable, Sendable {
        var fault: Fault
        /// Requests that matched.
        var seen = 0
        /// Requests that it happened to.
        var fired = 0

        private enum CodingKeys: String, CodingKey { case seen, fired }

        func encode(to encoder: any Encoder) throws {
            try fault.encode(to: encoder)
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(seen, forKey: .seen)
            try values.encode(fired, forKey: .fired)
        }
    }

    /// What happens to one request: any number of delays, and at most one replaced answer.
    struct Injection: Equatable, Sendable {
        var ids: [String] = []
        var latencyBeforeEffectMs = 0
        var latencyAfterEffectMs = 0
        var expiresTokens = false
        var answerBeforeEffect: FaultAction?
        var answerAfterEffect: FaultAction?
    }

    fileprivate struct State {
        var entries: [Entry] = []
        var generator: SeededGenerator
        var lastNumber = 0
    }

    private let state: NIOLockedValueBox<State>

    init(_ faults: [Fault] = [], seed: UInt64 = 1) {
        state = NIOLockedValueBox(State(generator: SeededGenerator(seed: seed)))
        add(faults)
    }

    var entries: [Entry] { state.withLockedValue { $0.entries } }

    /// Adds faults behind those in force, and returns their IDs. A seed begins the random numbers anew.
    @discardableResult
    func add(_ faults: [Fault], seed: UInt64? = nil) -> [String] {
        state.withLockedValue { state in
            if let seed { state.generator = SeededGenerator(seed: seed) }
            return faults.map { fault in
                var fault = fault
                state.lastNumber += 1
                let id = fault.id ?? "fault-\(state.lastNumber)"
                fault.id = id
                state.entries.removeAll { $0.fault.id == id }
                state.entries.append(Entry(fault: fault))
                return id
            }
        }
    }

    /// Whether there was one to remove.
    func remove(id: String) -> Bool {
        state.withLockedValue { state in
            let before = state.entries.count
            state.entries.removeAll { $0.fault.id == id }
            return state.entries.count < before
        }
    }

    func removeAll() {
        state.withLockedValue { $0.entries = [] }
    }

    /// The faults that happen to a request, counted as met. Once one replaces the answer, later ones are not asked.
    func take(for call: APICall, subject: Subject) -> Injection {
        state.withLockedValue { state in
            var injection = Injection()
            for index in state.entries.indices {
                let fault = state.entries[index].fault
                guard fault.match.matches(call, subject: subject) else { continue }
                guard state.fires(at: index) else { continue }
                injection.ids.append(fault.id ?? "")
                injection.add(fault)
                if fault.action.replacesAnswer { break }
            }
            return injection
        }
    }
}

extension FaultInjector.State {
    fileprivate mutating func fires(at index: Int) -> Bool {
        entries[index].seen += 1
        let entry = entries[index]
        guard entry.seen > entry.fault.after ?? 0 else { return false }
        guard entry.fired < entry.fault.times ?? .max else { return false }
        if let probability = entry.fault.probability {
            guard Double.random(in: 0..<1, using: &generator) < probability else { return false }
        }
        entries[index].fired += 1
        return true
    }
}

extension FaultInjector.Injection {
    fileprivate mutating func add(_ fault: Fault) {
        switch fault.action {
        case .latency(let milliseconds) where fault.afterEffect: latencyAfterEffectMs += milliseconds
        case .latency(let milliseconds): latencyBeforeEffectMs += milliseconds
        case .expireTokens: expiresTokens = true
        default:
            if fault.afterEffect {
                answerAfterEffect = fault.action
            } else {
                answerBeforeEffect = fault.action
            }
        }
    }
}
