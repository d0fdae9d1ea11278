import MicrosoftAPI
import Resilience
import Secrets
import TestSupport

@testable import ConsentWorker

extension FuzzInput {
    /// The configuration file, which finds the files that it names.
    static let configuration = FuzzInput(
        "configuration",
        TextMutation([
            "amqp", "url", "urls", "heartbeat", "tls", "caFile", "certificateFile", "keyFile", "endpoints", "graph",
            "partnerCenter", "identity", "applications", "applicationId", "clientSecretFile", "refreshTokens",
            "ordering",
            "customer", "none", "maxInFlight", "prefetch", "limits", "requests", "per", "margin", "strict", "retry",
            "maxAttempts", "maxElapsed", "base", "cap", "budget", "reserve", "breaker", "failureRatio", "window",
            "query",
            "http", "timeout", "admin", "listen", "shutdown", "grace", "owner", "lease", "log", "level", "format",
            "tracing", "endpoint", "headersFile", "sampleRatio", "insecure", "client-secret", "refresh-tokens",
            "amqp://u:p@127.0.0.1:5672/%2f", "https://example.com", "250ms", "10s", "5m", "1h", "1000000000h", "-1s",
            "~",
            "&a ", "*a", "<<: *a", "!!binary ", "!!set ", "|\n", ">\n", "- ", "? ", ": ", "\n", "\n  ", "\n    ", "{",
            "}", "[", "]",
            "---\n", "...\n", "%YAML 9.9\n", "# ", "\t", "'", "\"", ", ",
        ]),
        examples: { Fixtures.files(in: "\(files)/examples", where: { $0.hasSuffix(".yaml") }).map(\.bytes) }
    ) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        do {
            let configuration = try ConfigurationLoader.parse(
                text,
                file: "consent-worker.yaml",
                folder: Fixtures.path(files),
                environment: [:]
            )
            try require(!configuration.applications.isEmpty && !configuration.brokers.isEmpty, "there is work")
            try require(configuration.retry.backoff.base <= configuration.retry.backoff.cap, "backoff rises")
            try require((1...65_535).contains(configuration.applications[0].prefetch), "the broker takes the prefetch")
        } catch let error as ConfigurationError {
            try require(!error.faults.isEmpty, "a refusal names a fault")
            try require(error.faults.allSatisfy { !$0.reason.isEmpty }, "a fault has a reason")
            try require(!error.description.contains("the-secret-itself@"), "no fault shows a secret")
            let hasControl = error.description.unicodeScalars.contains {
                $0.properties.generalCategory == .control && $0 != "\n"
            }
            try require(!hasControl, "a fault is printable")
        }
    }

    private static let files = "Tests/Fuzzing/Configuration"
}
