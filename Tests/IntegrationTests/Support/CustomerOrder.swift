import Testing

/// What a customer's requests say about the order of its commands.
struct CustomerOrder {
    /// Each customer's arrivals in their order, with the place of their command among the published ones.
    private let sent: [String: [(place: Int, arrival: SimulatorProcess.Arrival)]]

    /// - Parameter published: the correlation IDs of all commands, in publish order.
    init(of arrivals: [SimulatorProcess.Arrival], published: [String]) throws {
        let places = Dictionary(uniqueKeysWithValues: published.enumerated().map { (Correlation.header($1), $0) })
        sent = try Dictionary(grouping: arrivals) { $0.customer ?? "?" }.mapValues { arrivals in
            try arrivals.sorted { $0.atNanoseconds < $1.atNanoseconds }.map {
                (try #require(places[$0.correlationID ?? ""]), $0)
            }
        }
    }

    /// Commands first arrive in publish order, and take effect in it, once at most.
    func expectKept() {
        for fault in faults { Issue.record("\(fault)") }
    }

    /// Where that is not so.
    var faults: [String] {
        sent.flatMap { customer, sent in
            var faults: [String] = []
            var seen: Set<Int> = []
            let first = sent.map(\.place).filter { seen.insert($0).inserted }
            if first != first.sorted() { faults.append("customer \(customer): first arrivals \(first)") }
            let effects = sent.filter { $0.arrival.effect != nil && !$0.arrival.repeated }.map(\.place)
            if effects != Set(effects).sorted() { faults.append("customer \(customer): effects \(effects)") }
            return faults
        }
    }

    /// Each of the commands that were sent took effect.
    func expectEachTookEffect() {
        for (customer, sent) in sent {
            let effects = Set(sent.filter { $0.arrival.effect != nil }.map(\.place))
            #expect(effects == Set(sent.map(\.place)), "customer \(customer): effects \(effects.sorted())")
        }
    }

    /// No request of a command arrives after one of a later command: not even a retry.
    func expectNoneInterleaved() {
        for (customer, sent) in sent {
            let places = sent.map(\.place)
            #expect(places == places.sorted(), "customer \(customer): \(places)")
        }
    }
}
