import Metrics
import NIOConcurrencyHelpers

/// How long requests took, named by OpenTelemetry's conventions for HTTP clients.
final class RequestDurations: Sendable {
    private struct Key: Hashable {
        let method: HTTPRequest.Method
        let host: String
        let end: End
    }

    private enum End: Hashable {
        case status(Int)
        case error(HTTPError.Code)
    }

    /// Each is made once. Hosts are those of the configuration, so there are few.
    private let timers = NIOLockedValueBox<[Key: Timer]>([:])

    func record(_ request: HTTPRequest, _ result: Result<HTTPResponse, HTTPError>, took duration: Duration) {
        let end: End
        switch result {
        case .success(let response): end = .status(response.status)
        // Nothing was asked for.
        case .failure(let error) where error.code == .sendRefused: return
        case .failure(let error): end = .error(error.code)
        }
        let key = Key(method: request.method, host: request.host, end: end)
        let timer = timers.withLockedValue { timers in
            if let timer = timers[key] { return timer }
            let timer = Self.timer(key)
            timers[key] = timer
            return timer
        }
        timer.record(duration: duration)
    }

    private static func timer(_ key: Key) -> Timer {
        let end =
            switch key.end {
            // A peer may answer with any number; a label may not have as many values.
            case .status(let status):
                ("http_response_status_code", (100..<600).contains(status) ? String(status) : "_OTHER")
            case .error(let code): ("error_type", "\(code)")
            }
        return Timer(
            label: "http_client_request_duration_seconds",
            dimensions: [("http_request_method", key.method.rawValue), ("server_address", key.host), end]
        )
    }
}

extension HTTPRequest {
    /// Without the port, which tells nothing more about whom the request is to.
    fileprivate var host: String {
        let (slash, colon) = (UInt8(ascii: "/"), UInt8(ascii: ":"))
        guard let scheme = url.utf8.firstIndex(of: colon) else { return "" }
        let authority = url.utf8[scheme...].dropFirst().drop { $0 == slash }
            .prefix { $0 != slash && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let isIPv6 = authority.first == UInt8(ascii: "[")
        return String(Substring(authority.prefix { $0 != (isIPv6 ? UInt8(ascii: "]") : colon) }))
    }
}
