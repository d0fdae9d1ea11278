import Foundation
import JSON

/// When one application's requests arrived at the simulator, and what that says about its limit.
struct ArrivalRecord {
    let arrivals: [SimulatorProcess.Arrival]
    let stamps: [Int]
    /// When the simulator's own loop stood still, and the moment that it then took to read what had come.
    let stalls: [ClosedRange<Int>]

    init(_ simulator: SimulatorProcess, _ application: String) async throws {
        let stalls = try await Self.stalls(of: simulator, application)
        self.init(try await simulator.arrivals(of: application), stalls)
    }

    /// Between the first and the last request of an application to one of the APIs.
    static func stalls(
        of simulator: SimulatorProcess,
        _ application: String,
        api: String = "partnerCenter"
    ) async throws -> [ClosedRange<Int>] {
        let report = try await simulator.call(.get, "report?application=\(application)&api=\(api)")
        return (report["stalls"]?.array ?? []).map { stall in
            let start = stall["atNs"]?.int ?? 0
            return start...start + Int((stall.number("durationMs") ?? 0) * 1e6) + 10_000_000
        }
    }

    /// While a run goes on.
    init(stamps: [Int]) {
        arrivals = []
        stalls = []
        self.stamps = stamps.sorted()
    }

    init(_ arrivals: [SimulatorProcess.Arrival], _ stalls: [ClosedRange<Int>]) {
        self.arrivals = arrivals
        self.stalls = stalls
        stamps = arrivals.map(\.atNanoseconds).sorted()
    }

    /// What came from a moment on.
    func since(_ moment: Int) -> ArrivalRecord {
        ArrivalRecord(arrivals.filter { $0.atNanoseconds >= moment }, stalls.filter { $0.upperBound >= moment })
    }

    func until(_ moment: Int) -> ArrivalRecord {
        ArrivalRecord(arrivals.filter { $0.atNanoseconds < moment }, stalls.filter { $0.lowerBound < moment })
    }

    // MARK: - The bound

    /// The most arrivals in a sliding second.
    var worstWindow: Int {
        var oldest = 0
        var worst = 0
        for (newest, stamp) in stamps.enumerated() {
            while stamp - stamps[oldest] >= 1_000_000_000 { oldest += 1 }
            worst = max(worst, newest - oldest + 1)
        }
        return worst
    }

    /// A request that came while the simulator stood still is stamped late: it may have come when that began.
    func earliest(_ stamp: Int) -> Int {
        stalls.reversed().reduce(stamp) { $1.contains($0) ? $1.lowerBound : $0 }
    }

    /// Sliding seconds with more than the limit, as spans in milliseconds of one more than the limit. Without a stall
    /// this is exact; a stall excuses only what it can have caused.
    func violations(of limit: Int) -> [(atNanoseconds: Int, milliseconds: Double)] {
        zip(stamps, stamps.dropFirst(limit)).map { ($0, Double($1 - earliest($0)) / 1e6) }.filter { $0.1 < 1000 }
    }

    /// Violations that no stall can have caused, however many there were: only what came outside them is counted.
    func certainViolations(of limit: Int) -> [(atNanoseconds: Int, milliseconds: Double)] {
        ArrivalRecord(stamps: stamps.filter { earliest($0) == $0 }).violations(of: limit)
    }

    /// Refusals that no stall explains: what was sent in time and stamped late can be refused by the simulator.
    var unexplainedRefusals: Int {
        arrivals.filter { $0.status == 429 }.count { arrival in
            !stalls.contains {
                $0.lowerBound <= arrival.atNanoseconds && arrival.atNanoseconds <= $0.upperBound + 1_000_000_000
            }
        }
    }

    // MARK: - The rate

    /// The best rate that so many requests in a row kept up, after the first second with its burst.
    func bestRate(over count: Int) -> Double {
        let later = stamps.dropFirst(50)
        let spans = zip(later, later.dropFirst(count)).map { $1 - earliest($0) }
        return spans.min().map { Double(count) * 1e9 / Double($0) } ?? 0
    }

    /// The mean rate between the first and the last.
    var meanRate: Double {
        guard let first = stamps.first, let last = stamps.last, last > first else { return 0 }
        return Double(stamps.count - 1) * 1e9 / Double(last - first)
    }

    /// Seconds from a moment until the limit was used again: twice the limit arrives in so little time. Twice the
    /// limit exactly, since permits come back in the clumps in which they were used.
    func recovery(after moment: Int, limit: Int = 50) -> Double? {
        let later = stamps.filter { $0 >= moment }
        let count = 2 * limit
        let needed = Int(2_000_000_000 / Load.share)
        let first = zip(later, later.dropFirst(count)).first { $1 - earliest($0) <= needed }
        return first.map { Double($0.0 - moment) / 1e9 }
    }

    /// The longest silence after a moment, in seconds, and when it began.
    func longestGap(after moment: Int) -> (seconds: Double, from: Int) {
        let later = [moment] + stamps.filter { $0 >= moment }
        let gaps = zip(later, later.dropFirst()).map { (Double($1 - $0) / 1e9, $0) }
        return gaps.max { $0.0 < $1.0 } ?? (0, moment)
    }
}
