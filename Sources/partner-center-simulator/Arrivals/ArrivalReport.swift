/// What the arrivals of one application say about the rate at which it was used.
struct ArrivalReport: Encodable, Equatable, Sendable {
    var application: String
    var api: String
    var limit: Int?
    var windowMs: Int
    var arrivals = 0
    var admitted = 0
    /// Answers with 429, by the limit or by a fault.
    var status429 = 0
    var repeats = 0
    /// The most arrivals in any half-open window, admitted or not.
    var worstWindow = 0
    var worstWindowAtNs: Int?
    /// The shortest time from one arrival to the one `limit` places later: below `windowMs` the limit was broken.
    var shortestSpanMs: Double?
    /// (arrivals - 1) / (last - first): independent of how long the run idled before and after.
    var meanPerSecond: Double?
    var firstAtNs: Int?
    var lastAtNs: Int?
    /// Stalls of the stamping loop between the first and the last arrival: if there are any, stamps may be late.
    var stalls: [StallDetector.Stall] = []

    init(application: String, api: LimitedAPI, limit: Int?, windowMs: Int, arrivals: some Sequence<Arrival>) {
        self.application = application
        self.api = api.rawValue
        self.limit = limit
        self.windowMs = windowMs
        var stamps: [Int] = []
        for arrival in arrivals where LimitedAPI(arrival.kind) == api && arrival.application == application {
            stamps.append(arrival.atNs)
            if arrival.admitted { admitted += 1 }
            if arrival.status == 429 { status429 += 1 }
            if arrival.repeat { repeats += 1 }
        }
        // Requests are noted by several threads, and so nearly but not quite in order.
        stamps.sort()
        measure(stamps)
    }

    private mutating func measure(_ stamps: [Int]) {
        arrivals = stamps.count
        guard let first = stamps.first, let last = stamps.last else { return }
        firstAtNs = first
        lastAtNs = last
        if last > first { meanPerSecond = Double(stamps.count - 1) * 1e9 / Double(last - first) }

        let window = windowMs * 1_000_000
        var oldest = 0
        for (newest, stamp) in stamps.enumerated() {
            // The window that ends with this arrival: half-open, so one that is exactly a window old is outside.
            while stamp - stamps[oldest] >= window { oldest += 1 }
            if newest - oldest + 1 > worstWindow {
                worstWindow = newest - oldest + 1
                worstWindowAtNs = stamps[oldest]
            }
        }
        guard let limit, stamps.count > limit else { return }
        let shortest = (limit..<stamps.count).map { stamps[$0] - stamps[$0 - limit] }.min()
        shortestSpanMs = shortest.map { Double($0) / 1_000_000 }
    }
}

extension ArrivalReport {
    private enum CodingKeys: String, CodingKey {
        case application, api, limit, windowMs, arrivals, admitted, status429, repeats, worstWindow, worstWindowAtNs
        case shortestSpanMs, meanPerSecond, firstAtNs, lastAtNs, stalls
    }

    /// Every member is always there, with null for what cannot be said.
    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(application, forKey: .application)
        try values.encode(api, forKey: .api)
        try values.encode(limit, forKey: .limit)
        try values.encode(windowMs, forKey: .windowMs)
        try values.encode(arrivals, forKey: .arrivals)
        try values.encode(admitted, forKey: .admitted)
        try values.encode(status429, forKey: .status429)
        try values.encode(repeats, forKey: .repeats)
        try values.encode(worstWindow, forKey: .worstWindow)
        try values.encode(worstWindowAtNs, forKey: .worstWindowAtNs)
        try values.encode(shortestSpanMs, forKey: .shortestSpanMs)
        try values.encode(meanPerSecond, forKey: .meanPerSecond)
        try values.encode(firstAtNs, forKey: .firstAtNs)
        try values.encode(lastAtNs, forKey: .lastAtNs)
        try values.encode(stalls, forKey: .stalls)
    }
}
