import HTTP
import MicrosoftAPI
import Tracing

extension APIRequest {
    /// As OpenTelemetry describes a request of HTTP.
    var attributes: SpanAttributes {
        let origin = Endpoints.origin(of: url)
        let authority = origin.split(separator: "/").last ?? ""
        // In brackets, an IPv6 address has colons of its own.
        let port = authority.hasSuffix("]") ? nil : authority.split(separator: ":").dropFirst().last.flatMap { Int($0) }
        let host = port.map { authority.dropLast("\($0)".count + 1) } ?? authority
        var attributes: SpanAttributes = [
            "http.request.method": .string(method.rawValue),
            "server.address": .string(host.filter { !"[]".contains($0) }),
            "server.port": .int64(Int64(port ?? (origin.hasPrefix("https:") ? 443 : 80))),
            // Without the query, which may hold Graph's token for the next page.
            "url.full": .string(String(url.prefix { $0 != "?" })), "consent.api": .string(api.rawValue),
        ]
        attributes["consent.request_id"] = requestID
        return attributes
    }
}
