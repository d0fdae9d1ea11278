import ConsentContract
import MicrosoftAPI
import RateLimiting
import Secrets

extension Sections {
    func applications(_ root: ConfigurationReader) -> [Configuration.Application] {
        let items = root.list("applications")
        if items.isEmpty { root.fault("applications", "must list at least one application") }
        let applications = items.compactMap(application)
        var seen: Set<GUID> = []
        for application in applications where !seen.insert(application.applicationID).inserted {
            root.fault("applications", "lists \(application.applicationID) more than once")
        }
        return applications
    }

    private func application(_ item: ConfigurationReader) -> Configuration.Application? {
        defer { item.refuseUnknownKeys() }
        var applicationID: GUID?
        if let text = item.required("applicationId") {
            applicationID = GUID(text)
            if applicationID == nil { item.fault("applicationId", "must be a GUID") }
        }
        let credential = credential(item)
        let tokens = item.required("refreshTokens").map { absolute($0) }
        if let tokens, !isDirectory(tokens) {
            item.fault("refreshTokens", "there is no directory \(tokens)")
        } else if let tokens {
            warnIfExposed(item, tokens)
        }
        let ordering: Configuration.Ordering = item.choice("ordering", default: .customer)
        let maxInFlight = item.int("maxInFlight", default: 100, 1...10_000)
        let prefetch = item.int("prefetch", default: 200, 1...65_535)
        let (partnerCenter, graph) = limits(item)
        guard let applicationID, let credential, let tokens else { return nil }
        return Configuration.Application(
            applicationID: applicationID,
            credential: credential,
            refreshTokens: tokens,
            ordering: ordering,
            maxInFlight: maxInFlight,
            prefetch: prefetch,
            partnerCenterLimit: partnerCenter,
            graphLimit: graph
        )
    }

    private func credential(_ item: ConfigurationReader) -> ClientCredential? {
        let hasCertificate = item.has("certificateFile") || item.has("privateKeyFile")
        guard hasCertificate else {
            guard item.has("clientSecretFile") else {
                item.fault("clientSecretFile", "is missing; or name certificateFile and privateKeyFile")
                return nil
            }
            return text(item, "clientSecretFile").map { .secret(Secret($0.filter { !$0.isWhitespace })) }
        }
        if item.has("clientSecretFile") { item.fault("clientSecretFile", "and certificateFile exclude each other") }
        guard item.has("certificateFile"), item.has("privateKeyFile") else {
            item.fault("certificateFile", "and privateKeyFile go together")
            return nil
        }
        guard let certificate = text(item, "certificateFile"), let key = text(item, "privateKeyFile") else {
            return nil
        }
        do {
            return .certificate(try ClientCertificate(certificate: certificate, key: key))
        } catch {
            item.fault("certificateFile", "\(error)")
            return nil
        }
    }

    private func limits(_ item: ConfigurationReader) -> (Configuration.Limit?, Configuration.Limit?) {
        if item.word("limits") == "none" { return (nil, nil) }
        let limits = item.section("limits")
        defer { limits.refuseUnknownKeys() }
        return (limit(limits, "partnerCenter", requests: 50), limit(limits, "graph", requests: 20))
    }

    private func limit(_ limits: ConfigurationReader, _ name: String, requests: Int) -> Configuration.Limit? {
        if limits.word(name) == "none" { return nil }
        let section = limits.section(name)
        defer { section.refuseUnknownKeys() }
        return Configuration.Limit(
            rate: RateLimit(
                requests: section.int("requests", default: requests, 1...100_000),
                per: section.duration("per", default: .seconds(1), .milliseconds(1) ... .seconds(3600)),
                margin: section.duration("margin", default: .milliseconds(30), .zero ... .seconds(60))
            ),
            strict: section.bool("strict", default: false)
        )
    }
}
