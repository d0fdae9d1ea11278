package import ConsentContract
package import Logging
import Metrics
package import Resilience

/// Keeps an application's refresh tokens alive: each is redeemed at least weekly, and the days left are told.
package struct RefreshTokenKeeper: Sendable {
    private static let interval = Duration.seconds(3600)
    /// Well before Microsoft's 90 days.
    private static let renewAfterDays = 7
    /// Renewal has then failed for weeks; somebody has to sign in again.
    private static let warnBelowDays = 30

    private let applicationID: GUID
    private let store: RefreshTokenStore
    private let tokens: TokenProvider
    private let clock: any MonotonicClock
    private let wallClock: any WallClock
    private let logger: Logger

    package init(
        applicationID: GUID,
        store: RefreshTokenStore,
        tokens: TokenProvider,
        clock: any MonotonicClock,
        wallClock: any WallClock,
        logger: Logger
    ) {
        self.applicationID = applicationID
        self.store = store
        self.tokens = tokens
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
    }

    /// Runs until the task is cancelled.
    package func run() async throws {
        var gauges: [GUID: Gauge] = [:]
        // Who has left, partner or application, must not look as if its token expired.
        defer { for gauge in gauges.values { gauge.destroy() } }
        while true {
            store.removeRemnants()
            let partners = store.partners
            for partner in partners {
                await keep(partner)
                guard let entry = store.entry(of: partner) else { continue }
                let gauge = gauges[partner] ?? gauge(of: partner)
                gauges[partner] = gauge
                gauge.record(entry.expiry.milliseconds / 1000)
            }
            for partner in gauges.keys where !partners.contains(partner) {
                gauges.removeValue(forKey: partner)?.destroy()
            }
            do {
                try await clock.sleep(for: Self.interval)
            } catch {
                return
            }
        }
    }

    private func keep(_ partner: GUID) async {
        guard let entry = store.entry(of: partner) else { return }
        var daysLeft = entry.daysLeft(at: wallClock.now)
        if daysLeft <= RefreshTokenStore.Entry.lifetimeDays - Self.renewAfterDays {
            do {
                try await tokens.redeem(partner: partner)
                daysLeft = store.entry(of: partner)?.daysLeft(at: wallClock.now) ?? daysLeft
            } catch is CancellationError {
                return
            } catch {
                var metadata = metadata(partner, daysLeft)
                if let error = (error as? TokenFailure)?.error {
                    metadata["error"] = "\(error.message)"
                    if let code = error.code { metadata["code"] = "\(code)" }
                }
                logger.warning("a refresh token was not renewed", metadata: metadata)
            }
        }
        if daysLeft < Self.warnBelowDays {
            logger.warning(
                "a refresh token expires; an administrator has to sign in",
                metadata: metadata(partner, daysLeft)
            )
        }
    }

    private func gauge(of partner: GUID) -> Gauge {
        Gauge(
            label: "consent_refresh_token_expiry_timestamp_seconds",
            dimensions: [("application", "\(applicationID)"), ("partner", "\(partner)")]
        )
    }

    private func metadata(_ partner: GUID, _ daysLeft: Int) -> Logger.Metadata {
        ["application": "\(applicationID)", "partner": "\(partner)", "daysLeft": "\(daysLeft)"]
    }
}
