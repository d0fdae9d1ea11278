import CCurl
import Resilience

/// One request on its way. Handed to the client's thread once, and used only there from then on.
final class Transfer: @unchecked Sendable {
    typealias Completion = Result<HTTPResponse, HTTPError>

    let request: HTTPRequest
    let completion = OneShot<Completion>()
    private let limits: HTTPOptions

    private var headerBytes = 0
    private var headers = HeaderFields()
    private var body: [UInt8] = []
    private var isTooLarge = false
    private var isSendRefused = false
    private(set) var wasSent = false
    /// Where this transfer notes that it is being sent.
    var outgoing: Outgoing?

    /// The transfers whose requests libcurl has written since somebody last looked.
    final class Outgoing {
        var transfers: [Transfer] = []
    }

    init(_ request: HTTPRequest, limits: HTTPOptions) {
        self.request = request
        self.limits = limits
    }

    // MARK: - What libcurl calls

    /// Connection and TLS stand, the request is about to be written. libcurl calls this again when it silently
    /// repeats a request because a reused connection turned out dead; that second try is refused: nobody but the
    /// retry core decides to send a command twice, and the first may have taken effect.
    func aboutToSend() -> CInt {
        guard !wasSent else { return CURL_PREREQFUNC_ABORT }
        if let onSend = request.onSend, !onSend() {
            isSendRefused = true
            return CURL_PREREQFUNC_ABORT
        }
        wasSent = true
        outgoing?.transfers.append(self)
        return CURL_PREREQFUNC_OK
    }

    /// One header line; a new status line (after `100 Continue`) begins a new set.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        headerBytes += line.count
        guard headerBytes <= limits.maximumHeaderBytes else {
            isTooLarge = true
            return 0
        }
        if line.starts(with: "HTTP/".utf8) {
            headers = HeaderFields()
        } else {
            headers.append(line: line)
        }
        return line.count
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard body.count + bytes.count <= limits.maximumBodyBytes else {
            isTooLarge = true
            return 0
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    // MARK: - The end

    func finish(_ code: CURLcode, status: Int, detail: String) {
        completion.resolve(result(code, status: status, detail: detail))
    }

    private func result(_ code: CURLcode, status: Int, detail: String) -> Completion {
        if isTooLarge {
            return failure(.responseTooLarge, "the answer is larger than is accepted")
        }
        if isSendRefused {
            return failure(.sendRefused, "the request was withdrawn before it was sent")
        }
        switch code {
        case CURLE_OK:
            return .success(HTTPResponse(status: status, headers: headers, body: body))
        case CURLE_OPERATION_TIMEDOUT:
            return failure(wasSent ? .timedOut : .connectionFailed, detail)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_PROXY:
            return failure(.connectionFailed, detail)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_INVALIDCERTSTATUS:
            return failure(.tlsVerificationFailed, detail)
        // libcurl's words for a header line longer than it keeps, and for an answer that is not HTTP.
        case CURLE_OUT_OF_MEMORY where wasSent:
            return failure(.responseTooLarge, "the answer is larger than is accepted")
        case CURLE_UNSUPPORTED_PROTOCOL where wasSent:
            return failure(.malformedResponse, detail)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT:
            return failure(.invalidRequest, detail)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_BAD_CONTENT_ENCODING:
            return failure(.malformedResponse, detail)
        case CURLE_ABORTED_BY_CALLBACK:
            return failure(.connectionLost, "the kept connection was closed by the peer")
        default:
            return failure(wasSent ? .connectionLost : .connectionFailed, detail)
        }
    }

    private func failure(_ code: HTTPError.Code, _ message: String) -> Completion {
        .failure(HTTPError(code, "\(request.host): \(message)", wasSent: wasSent))
    }

    func cancel() {
        completion.resolve(failure(.cancelled, "the request was cancelled"))
    }
}

extension HTTPRequest {
    /// Scheme, host and port: enough to say where a request went.
    fileprivate var host: Substring {
        guard let scheme = url.firstIndex(of: ":") else { return url[...] }
        let authority = url[scheme...].drop { $0 == ":" || $0 == "/" }
        return url[..<(authority.firstIndex { $0 == "/" || $0 == "?" } ?? url.endIndex)]
    }
}
