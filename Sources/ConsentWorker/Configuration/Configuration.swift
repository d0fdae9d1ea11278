package import AMQP
package import ConsentContract
package import MicrosoftAPI
package import RateLimiting
package import Resilience
package import Secrets

/// Everything that an operator sets, read and checked. Written as YAML; see the README's reference.
package struct Configuration: Sendable, Equatable {
    /// Whether a customer's commands keep their order.
    package enum Ordering: String, Sendable, CaseIterable {
        /// They do: one pod at a time owns the application.
        case customer
        /// They need not: all pods take commands and share the limit.
        case none
    }

    package struct Limit: Sendable, Hashable {
        package var rate: RateLimit
        /// A permit rests from the answer on, not from the request: holds for any network, at a lower rate.
        package var strict: Bool
    }

    package struct Application: Sendable, Equatable {
        package var applicationID: GUID
        package var credential: ClientCredential
        /// Directory with one refresh token a partner tenant.
        package var refreshTokens: String
        package var ordering: Ordering
        /// Requests under way at a time, over all customers.
        package var maxInFlight: Int
        /// Commands taken from the broker and not yet settled.
        package var prefetch: Int
        /// nil: no limit.
        package var partnerCenterLimit: Limit?
        package var graphLimit: Limit?

        package func limit(for api: API) -> Limit? {
            api == .partnerCenter ? partnerCenterLimit : graphLimit
        }
    }

    /// Where a query stops although there is more.
    package struct QueryBounds: Sendable, Hashable {
        package var maxPages: Int
        package var maxItems: Int
        package var maxElapsed: Duration
    }

    package struct Admin: Sendable, Hashable {
        package var host: String
        package var port: Int
    }

    package struct Log: Sendable, Hashable {
        package enum Format: String, Sendable, CaseIterable { case json, text }

        package var level: String
        package var format: Format
    }

    /// Where spans go.
    package struct Tracing: Sendable, Hashable {
        package struct Header: Sendable, Hashable {
            package var name: String
            package var value: Secret
        }

        package var endpoint: String
        package var headers: [Header]
        /// Of the traces that begin here.
        package var sampleRatio: Double
    }

    package var brokers: [AMQPEndpoint]
    package var amqp: AMQPOptions
    package var endpoints: Endpoints
    package var applications: [Application]
    /// For how long an owner may act on one proof of its ownership.
    package var ownerLease: Duration
    package var retry: RetryPolicy
    /// Of each API's host.
    package var breaker: CircuitBreaker.Policy
    /// Requests to the identity host at a time.
    package var identityConcurrency: Int
    package var query: QueryBounds
    package var httpTimeout: Duration
    /// Trusted authorities for HTTPS as PEM; nil for the system's.
    package var httpCAFile: String?
    package var httpConnectTimeout: Duration
    package var admin: Admin
    package var shutdownGrace: Duration
    package var log: Log
    /// nil: off.
    package var tracing: Tracing?
    /// Plain transport or no verification beyond loopback.
    package var insecure: Bool
    /// What works but should not stay as it is.
    package var warnings: [String]
}
