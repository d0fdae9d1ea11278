import ArgumentParser

/// The options that a plan may set too.
struct BehaviourOptions: ParsableArguments {
    @Option(help: "Partner Center requests of an application in a window, or 'none'. (default: 50)")
    var limit: RequestLimit?

    @Option(help: "Length of the sliding window in milliseconds. (default: 1000)")
    var windowMs: Int?

    @Option(help: "Graph requests of an application in a window, or 'none'. (default: none)")
    var limitGraph: RequestLimit?

    @Option(help: "Seconds in the header Retry-After of a throttled request. (default: 1)")
    var retryAfter: Int?

    @Option(help: "Milliseconds that every API request takes at least. (default: 0)")
    var latencyMs: Int?

    @Option(help: "Seconds until an access token expires. (default: 3600)")
    var tokenLifetime: Int?

    @Flag(help: "Answer each token request with a new refresh token; the old ones stay good.")
    var rotateRefreshTokens = false

    func validate() throws {
        guard windowMs ?? 1 > 0 else { throw ValidationError("--window-ms must be above 0.") }
        guard retryAfter ?? 0 >= 0, latencyMs ?? 0 >= 0 else {
            throw ValidationError("--retry-after and --latency-ms must not be below 0.")
        }
        guard tokenLifetime ?? 0 >= 0 else { throw ValidationError("--token-lifetime must not be below 0.") }
    }

    /// What is given here, else what the plan says, else the usual.
    func settings(over plan: SimulationPlan) -> SimulatorSettings {
        var settings = SimulatorSettings()
        settings.limits.partnerCenter = limit ?? plan.limit ?? settings.limits.partnerCenter
        settings.limits.graph = limitGraph ?? plan.limitGraph ?? settings.limits.graph
        settings.limits.windowMs = windowMs ?? plan.windowMs ?? settings.limits.windowMs
        settings.limits.retryAfter = retryAfter ?? plan.retryAfter ?? settings.limits.retryAfter
        settings.latencyMs = latencyMs ?? plan.latencyMs ?? settings.latencyMs
        settings.tokens.lifetimeSeconds = tokenLifetime ?? plan.tokenLifetime ?? settings.tokens.lifetimeSeconds
        settings.tokens.rotatesRefreshTokens = rotateRefreshTokens || plan.rotateRefreshTokens ?? false
        settings.tokens.requiresConsentForGraph = plan.requireConsentForGraph
        return settings
    }
}
