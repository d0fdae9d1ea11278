import Testing

/// Per customer, the first arrivals of commands are in publish order.
func expectOrder(of arrivals: [SimulatorProcess.Arrival], published: [String]) throws {
    let numbers = Dictionary(
        uniqueKeysWithValues: published.enumerated().map { (Correlation.header($1), $0) }
    )
    for (customer, arrivals) in Dictionary(grouping: arrivals, by: \.customer) {
        var seen: Set<String> = []
        let first = arrivals.compactMap(\.correlationID).filter { seen.insert($0).inserted }
        let order = try first.map { try #require(numbers[$0]) }
        #expect(order == order.sorted(), "customer \(customer ?? "?")")
    }
}
