import AMQP
import MicrosoftAPI
import Resilience
import Secrets

/// Reads the configuration, one function a section of the file. Relative paths are relative to `folder`.
struct Sections {
    let folder: String

    /// What a command may take. Less than the time after which it goes back to its queue, where it would begin anew.
    private static let elapsed = Duration.seconds(1) ... .seconds(720)

    func configuration(_ root: ConfigurationReader) -> Configuration {
        let insecure = root.bool("insecure", default: false)
        var (brokers, amqp) = amqp(root.section("amqp"), insecure)
        amqp.tls.verifies = !insecure
        let http = root.section("http")
        let identity = root.section("identity")
        let shutdown = root.section("shutdown")
        let owner = root.section("owner")
        let caFile = file(http.section("tls"), "caFile")
        var configuration = Configuration(
            brokers: brokers,
            amqp: amqp,
            endpoints: endpoints(root.section("endpoints"), insecure),
            applications: applications(root),
            ownerLease: owner.duration("lease", default: .seconds(10), .seconds(4) ... .seconds(300)),
            retry: retry(root.section("retry")),
            breaker: breaker(root.section("breaker")),
            identityConcurrency: identity.int("concurrency", default: 16, 1...1000),
            query: query(root.section("query")),
            httpTimeout: http.duration("timeout", default: .seconds(30), .milliseconds(1) ... .seconds(600)),
            httpCAFile: caFile,
            httpConnectTimeout: http.duration(
                "connectTimeout",
                default: .seconds(5),
                .milliseconds(1) ... .seconds(60)
            ),
            admin: admin(root.section("admin")),
            shutdownGrace: shutdown.duration("grace", default: .seconds(25), .zero ... .seconds(3600)),
            log: log(root.section("log")),
            tracing: tracing(root.section("tracing"), insecure),
            insecure: insecure,
            warnings: []
        )
        configuration.warnings = root.findings.warnings
        for section in [http, identity, owner, shutdown] { section.refuseUnknownKeys() }
        root.refuseUnknownKeys()
        return configuration
    }

    private func amqp(_ section: ConfigurationReader, _ insecure: Bool) -> ([AMQPEndpoint], AMQPOptions) {
        let single = section.string("url")
        let several = section.strings("urls")
        if single != nil && several != nil && section.fromEnvironment("url") == nil {
            section.fault("url", "and urls exclude each other")
        }
        let urls = single.map { [$0] } ?? several ?? ["amqp://guest:guest@127.0.0.1:5672/%2f"]
        let name = single != nil ? "url" : "urls"
        if urls.isEmpty { section.fault("urls", "must name at least one broker") }
        var endpoints: [AMQPEndpoint] = []
        for url in urls {
            do {
                let endpoint = try AMQPEndpoint(uri: url)
                endpoints.append(endpoint)
                if !endpoint.usesTLS && !endpoint.isLoopback && !insecure {
                    section.fault(
                        name,
                        "sends passwords in the clear to \(endpoint); use amqps:// or set insecure: true"
                    )
                }
            } catch {
                section.fault(name, "\(error)")
            }
        }
        var options = AMQPOptions()
        options.heartbeat = section.duration("heartbeat", default: .seconds(10), .seconds(1) ... .seconds(60))
        let tls = section.section("tls")
        if let file = file(tls, "caFile") { options.tls.caFile = file }
        options.tls.certificateFile = file(tls, "certificateFile")
        options.tls.keyFile = file(tls, "keyFile")
        if (options.tls.certificateFile == nil) != (options.tls.keyFile == nil) {
            section.fault("tls", "certificateFile and keyFile go together")
        }
        tls.refuseUnknownKeys()
        section.refuseUnknownKeys()
        return (endpoints, options)
    }

    private func endpoints(_ section: ConfigurationReader, _ insecure: Bool) -> Endpoints {
        let defaults = Endpoints()
        func url(_ name: String, _ value: String) -> String {
            var url = section.string(name, default: value)
            while url.hasSuffix("/") { url.removeLast() }
            check(url, section, name, insecure, carries: "tokens")
            return url
        }
        let endpoints = Endpoints(
            partnerCenter: url("partnerCenter", defaults.partnerCenter),
            graph: url("graph", defaults.graph),
            identity: url("identity", defaults.identity)
        )
        section.refuseUnknownKeys()
        return endpoints
    }

    private func check(
        _ url: String,
        _ section: ConfigurationReader,
        _ name: String,
        _ insecure: Bool,
        carries load: String
    ) {
        if url.hasPrefix("http://") {
            if !Endpoints.isLoopback(url) && !insecure {
                section.fault(name, "sends \(load) in the clear; use https:// or set insecure: true")
            }
        } else if !url.hasPrefix("https://") {
            section.fault(name, "must begin with https:// (http:// only for loopback)")
        }
        if url.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }) || url.contains("@") {
            section.fault(name, "must be scheme, host, port and path only")
        }
    }

    private func retry(_ section: ConfigurationReader) -> RetryPolicy {
        let budget = section.section("budget")
        defer {
            budget.refuseUnknownKeys()
            section.refuseUnknownKeys()
        }
        let policy = RetryPolicy(
            maxAttempts: section.int("maxAttempts", default: 8, 1...100),
            maxElapsed: section.duration("maxElapsed", default: .seconds(600), Self.elapsed),
            backoff: Backoff(
                base: section.duration("base", default: .milliseconds(500), .milliseconds(1) ... .seconds(60)),
                cap: section.duration("cap", default: .seconds(60), .milliseconds(1) ... .seconds(600))
            ),
            retryAfterMax: section.duration("retryAfterMax", default: .seconds(600), .seconds(1) ... .seconds(3600)),
            budget: RetryBudget.Policy(
                perSuccess: budget.int("perSuccess", default: 2, 0...1000),
                reserve: budget.int("reserve", default: 100, 0...100_000)
            )
        )
        if policy.backoff.cap < policy.backoff.base { section.fault("cap", "must not be below base") }
        return policy
    }

    private func breaker(_ section: ConfigurationReader) -> CircuitBreaker.Policy {
        defer { section.refuseUnknownKeys() }
        return CircuitBreaker.Policy(
            failureRatio: section.share("failureRatio", default: 0.8),
            minimumSamples: section.int("minimumSamples", default: 50, 1...10_000),
            window: section.duration("window", default: .seconds(10), .seconds(1) ... .seconds(600)),
            probe: section.duration("probe", default: .seconds(1), .milliseconds(10) ... .seconds(60))
        )
    }

    private func query(_ section: ConfigurationReader) -> Configuration.QueryBounds {
        defer { section.refuseUnknownKeys() }
        return Configuration.QueryBounds(
            maxPages: section.int("maxPages", default: 1000, 1...1_000_000),
            maxItems: section.int("maxItems", default: 100_000, 1...10_000_000),
            maxElapsed: section.duration("maxElapsed", default: .seconds(600), Self.elapsed)
        )
    }

    func admin(_ section: ConfigurationReader) -> Configuration.Admin {
        defer { section.refuseUnknownKeys() }
        let listen = section.string("listen", default: "127.0.0.1:9464")
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
            (0...65_535).contains(port), colon != listen.startIndex
        else {
            section.fault("listen", "must be host:port")
            return Configuration.Admin(host: "127.0.0.1", port: 9464)
        }
        return Configuration.Admin(host: String(listen[..<colon]), port: port)
    }

    private func log(_ section: ConfigurationReader) -> Configuration.Log {
        defer { section.refuseUnknownKeys() }
        let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
        let level = section.string("level", default: "info")
        if !levels.contains(level) { section.fault("level", "must be one of \(levels.joined(separator: ", "))") }
        return Configuration.Log(level: level, format: section.choice("format", default: .json))
    }

    private func tracing(_ section: ConfigurationReader, _ insecure: Bool) -> Configuration.Tracing? {
        defer { section.refuseUnknownKeys() }
        let sampleRatio = section.ratio("sampleRatio", default: 1)
        let headers = section.has("headersFile") ? self.headers(section, "headersFile") : []
        guard let endpoint = section.string("endpoint") else {
            if section.has("sampleRatio") || section.has("headersFile") {
                section.fault(
                    "endpoint",
                    "is missing; name the collector's address, mostly https://host:4318/v1/traces"
                )
            }
            return nil
        }
        check(endpoint, section, "endpoint", insecure, carries: "traces")
        return Configuration.Tracing(endpoint: endpoint, headers: headers, sampleRatio: sampleRatio)
    }

    /// One `name: value` a line; empty lines and those that begin with `#` say nothing.
    private func headers(_ section: ConfigurationReader, _ name: String) -> [Configuration.Tracing.Header] {
        let lines = (text(section, name) ?? "").split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        var headers: [Configuration.Tracing.Header] = []
        for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) && !line.hasPrefix("#") {
            let header = line.prefix { $0 != ":" }
            let value = line.dropFirst(header.count + 1).drop(while: \.isWhitespace)
            guard !header.isEmpty,
                header.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
                !value.isEmpty, value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
            else {
                // Not the line itself, which may hold a key.
                section.fault(name, "line \(index + 1) of the file must be a header as in HTTP, name: value")
                continue
            }
            headers.append(.init(name: String(header), value: Secret(String(value))))
        }
        return headers
    }
}
