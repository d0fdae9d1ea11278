import Foundation
import Testing

/// Runs of a saturated fleet, and what is expected of each.
enum FleetRun {
    typealias Ordering = SaturatedFleet.Ordering

    /// A run and what the simulator saw of it.
    static func records(
        _ settings: SaturatedFleet.Settings,
        _ body: (SaturatedFleet) async throws -> Void
    ) async throws -> [FleetRecord] {
        var records: [FleetRecord] = []
        try await SaturatedFleet.run(settings) { fleet in
            try await body(fleet)
            records = try await fleet.records()
        }
        return records
    }

    /// Again, at most twice, while the simulator stood still: such a run proves nothing, neither for nor against, since
    /// what waits behind a stall is stamped late too. Without a stall the limit has to hold.
    /// - Parameter run: also says what else was wrong that may have been the machine's fault; it has to be right once.
    static func repeated(
        _ what: String,
        requests: Int = 50,
        _ run: () async throws -> ([FleetRecord], String?)
    ) async throws {
        var problems: [String] = []
        for _ in 1...3 {
            let (records, wrong) = try await run()
            for record in records { print("fleet: \(what): \(record.summary)") }
            let broken = records.compactMap { breach($0, requests) }
            let isSteady = records.allSatisfy(\.arrivals.stalls.isEmpty)
            if isSteady && !broken.isEmpty { throw TestFailure("\(what): \(broken.joined(separator: "; "))") }
            problems = broken + (wrong.map { [$0] } ?? [])
            if problems.isEmpty && (isSteady || !Load.isLong) { return }
        }
        if !problems.isEmpty { throw TestFailure("\(what): \(problems.joined(separator: "; "))") }
    }

    private static func breach(_ record: FleetRecord, _ requests: Int) -> String? {
        let violations = record.arrivals.violations(of: requests)
        let refusals = record.arrivals.unexplainedRefusals
        if violations.isEmpty && refusals == 0 { return nil }
        return "\(record.ordering): more than \(requests): \(violations), \(refusals) refused; "
            + "stalls \(record.arrivals.stalls)"
    }

    /// The limit in every run, and its use in one.
    static func provingTheRate(_ what: String, _ run: () async throws -> [FleetRecord]) async throws {
        try await repeated(what) {
            let records = try await run()
            let slow = records.map { ($0.ordering, $0.arrivals.bestRate(over: 250)) }.filter { $0.1 < 50 * Load.share }
            return (records, slow.isEmpty ? nil : "too slow: \(slow.map { "\($0) \(rounded($1))" })")
        }
    }

    /// Both kinds of applications under full load, something done to them, and how long each took to be back.
    /// - Parameters:
    ///   - recovery: seconds that each may take; after a pod's return those of an owner's loss.
    ///   - fault: returns the moment from which the recovery counts.
    static func fault(
        _ what: String,
        recovery: [Ordering: Double] = [.none: 15, .customer: SaturatedFleet.lease + 3],
        heartbeat: String = "5s",
        pods: Int = 4,
        warmUp: Int = 100,
        broker: PrivateBroker? = nil,
        environment: @escaping @Sendable (Int) -> [String: String] = { _ in [:] },
        _ fault: @escaping (SaturatedFleet) async throws -> Int
    ) async throws {
        try await self.fault(
            what,
            recovery: recovery,
            heartbeat: heartbeat,
            pods: pods,
            warmUp: warmUp,
            broker: broker,
            environment: environment,
            faults: [fault]
        )
    }

    static func fault(
        _ what: String,
        recovery: [Ordering: Double],
        heartbeat: String = "5s",
        pods: Int = 4,
        warmUp: Int,
        broker: PrivateBroker?,
        environment: @escaping @Sendable (Int) -> [String: String] = { _ in [:] },
        faults: [(SaturatedFleet) async throws -> Int]
    ) async throws {
        let backlog = (warmUp + 1100) * Load.repetitions * faults.count
        var settings = SaturatedFleet.Settings(pods: pods, backlog: backlog)
        settings.heartbeat = heartbeat
        settings.broker = broker
        settings.environment = environment
        try await repeated(what) {
            var moments: [Int] = []
            var records = try await records(settings) { fleet in
                for _ in 0..<Load.repetitions {
                    for fault in faults {
                        let start = try await fleet.now()
                        try await fleet.waitForArrivals(warmUp, after: start)
                        let moment = try await fault(fleet)
                        moments.append(moment)
                        try await fleet.waitUntilRecovered(after: moment)
                    }
                }
            }
            var late: [String] = []
            for index in records.indices {
                let record = records[index]
                let times = moments.map { record.arrivals.recovery(after: $0) ?? .infinity }
                records[index].measured = ["back after \(times.map(rounded)) s"]
                if let limit = recovery[record.ordering], times.contains(where: { $0 > Load.patience(limit) }) {
                    late.append("\(record.ordering) took \(times.map(rounded)) s instead of \(limit)")
                }
            }
            return (records, late.isEmpty ? nil : late.joined(separator: "; "))
        }
    }
}
