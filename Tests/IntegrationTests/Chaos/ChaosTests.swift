import Foundation
import Testing

extension IntegrationTests {
    /// Whatever goes wrong, and however many things at once: every command ends once, as its event says, in order and
    /// within the limits.
    ///
    /// `CONSENT_CHAOS_SEED` repeats a run as far as other processes can be made to; `CONSENT_CHAOS_SECONDS` says how
    /// long it is disturbed (in the long form each test for 15 minutes).
    @Suite(.timeLimit(.minutes(90)))
    struct ChaosTests {
        private static let environment = ProcessInfo.processInfo.environment
        private static let seconds = environment["CONSENT_CHAOS_SECONDS"].flatMap(Double.init)
        /// Also when it is asked for by its length.
        private static let isLong = Load.isLong || seconds != nil

        private static func seed() throws -> UInt64 {
            guard let text = environment["CONSENT_CHAOS_SEED"] else { return isLong ? .random(in: 1..<1_000_000) : 1 }
            guard let seed = UInt64(text) else { throw TestFailure("CONSENT_CHAOS_SEED is no number: \(text)") }
            return seed
        }

        @Test func aFleetOnOneBrokerKeepsItsPromises() async throws {
            let weather: ChaosPlan.Weather = Self.isLong ? .rough : .mild
            let seconds = Self.seconds ?? (Load.isLong ? 900 : 18)
            try await ChaosRun.run(ChaosPlan(seed: Self.seed(), seconds: seconds, weather: weather))
        }

        @Test(.enabled(if: isLong, "the long form only (CONSENT_LONG=1)"))
        func aFleetOnAClusterKeepsItsPromises() async throws {
            let plan = ChaosPlan(seed: try Self.seed(), seconds: Self.seconds ?? 900, weather: .roughOnCluster)
            try await ChaosRun.run(plan)
        }
    }
}
