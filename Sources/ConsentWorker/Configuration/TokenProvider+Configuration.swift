package import HTTP
package import Logging
package import MicrosoftAPI
package import Resilience

extension TokenProvider {
    /// - Parameter gate: bounds the requests to the identity host over all applications.
    package init(
        _ application: Configuration.Application,
        _ configuration: Configuration,
        _ client: HTTPClient,
        _ gate: ConcurrencyGate,
        _ breakers: TokenBreakers?,
        _ logger: Logger
    ) {
        self.init(
            applicationID: application.applicationID,
            credential: application.credential,
            store: RefreshTokenStore(directory: application.refreshTokens),
            endpoints: configuration.endpoints,
            client: client,
            gate: gate,
            breakers: breakers,
            timeout: configuration.httpTimeout,
            logger: logger
        )
    }
}
