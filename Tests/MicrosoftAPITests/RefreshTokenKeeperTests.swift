import ConsentContract
import Foundation
import HTTP
import Logging
import Metrics
import MetricsTestKit
import MicrosoftAPI
import Resilience
import Secrets
import TestSupport
import Testing

/// What is told about the age of refresh tokens.
@Suite(.timeLimit(.minutes(1)))
struct RefreshTokenKeeperTests {
    private let application = GUID.random()
    private let now = Timestamp(milliseconds: 1_800_000_000_000)
    private let metrics = TestMetrics()

    private var partners: [String: Double] {
        let recorders = metrics.recorders(label: "consent_refresh_token_expiry_timestamp_seconds")
        return Dictionary(
            uniqueKeysWithValues: recorders.map { recorder in
                (recorder.dimensions.first { $0.0 == "partner" }?.1 ?? "", recorder.lastValue ?? 0)
            }
        )
    }

    private func keeper(_ store: RefreshTokenStore, _ clock: ManualClock, _ client: HTTPClient) -> RefreshTokenKeeper {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return RefreshTokenKeeper(
            applicationID: application,
            store: store,
            // Tokens as young as these are not redeemed.
            tokens: TokenProvider(
                applicationID: application,
                credential: .secret(Secret("secret")),
                store: store,
                endpoints: Endpoints(),
                client: client,
                gate: ConcurrencyGate(limit: 1),
                timeout: .seconds(1),
                logger: logger
            ),
            clock: clock,
            wallClock: ManualWallClock(now: now),
            logger: logger
        )
    }

    @Test func theExpiryOfEachTokenIsToldForAsLongAsItsPartnerAndApplicationStay() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = RefreshTokenStore(directory: directory)
        let (first, second) = (GUID.random(), GUID.random())
        for (partner, age) in [(first, 0), (second, 3600)] {
            let entry = RefreshTokenStore.Entry(token: Secret("token"), obtainedAt: now + .seconds(-age))
            try store.store(entry, of: partner)
        }
        let clock = ManualClock()
        let client = HTTPClient()
        let keeper = keeper(store, clock, client)
        let run = withMetricsFactory(metrics) { Task { try await keeper.run() } }
        await clock.whenSleeping()
        let life = Double(1_800_000_000 + 90 * 86_400)
        #expect(partners == ["\(first)": life, "\(second)": life - 3600])

        try FileManager.default.removeItem(atPath: "\(directory)/\(second)")
        clock.advanceToNext()
        await clock.whenSleeping()
        #expect(partners == ["\(first)": life])

        run.cancel()
        try await run.value
        #expect(partners.isEmpty)
        await client.shutdown()
    }
}
