/// The behaviour that the command line and the plan decide together.
struct SimulatorSettings: Sendable {
    var limits = RateLimits.Settings()
    var tokens = TokenRoute.Settings(
        lifetimeSeconds: 3600,
        rotatesRefreshTokens: false,
        requiresConsentForGraph: false
    )
    var latencyMs = 0
}
