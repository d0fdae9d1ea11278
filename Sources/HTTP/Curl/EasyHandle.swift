import CCurl

/// One libcurl easy handle: prepared for a transfer, used, and prepared again for the next.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private(set) var transfer: Transfer?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    init(_ options: HTTPOptions) {
        guard let pointer = curl_easy_init() else { fatalError("out of memory for an HTTP request") }
        self.pointer = pointer
        setConstants(options)
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    /// What holds for every request: a handle that is used again keeps it.
    private func setConstants(_ options: HTTPOptions) {
        ccurl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
        ccurl_set_pointer(pointer, CURLOPT_PRIVATE, Unmanaged.passUnretained(self).toOpaque())
        ccurl_set_string(pointer, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_set_long(pointer, CURLOPT_PATH_AS_IS, 1)
        // Redirects could carry a token to another host.
        ccurl_set_long(pointer, CURLOPT_FOLLOWLOCATION, 0)
        // Signals would end up on any thread.
        ccurl_set_long(pointer, CURLOPT_NOSIGNAL, 1)
        ccurl_set_long(pointer, CURLOPT_TCP_NODELAY, 1)
        ccurl_set_long(pointer, CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeout.curlMilliseconds)
        ccurl_set_long(pointer, CURLOPT_MAXCONNECTS, options.maximumConnections)
        ccurl_set_long(pointer, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        ccurl_set_long(pointer, CURLOPT_SSL_VERIFYPEER, options.verifiesTLS ? 1 : 0)
        ccurl_set_long(pointer, CURLOPT_SSL_VERIFYHOST, options.verifiesTLS ? 2 : 0)
        if let caFile = options.caFile { ccurl_set_string(pointer, CURLOPT_CAINFO, caFile) }
        // HTTP/2 where TLS offers it; requests then wait for a connection they can share.
        ccurl_set_long(pointer, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
        ccurl_set_long(pointer, CURLOPT_PIPEWAIT, 1)
        ccurl_set_string(pointer, CURLOPT_USERAGENT, options.userAgent)
        setCallbacks()
    }

    /// Makes the handle ready for `transfer`, which it holds until ``finish(_:)``.
    func prepare(_ transfer: Transfer) {
        self.transfer = transfer
        errorText[0] = 0
        ccurl_set_string(pointer, CURLOPT_URL, transfer.request.url)
        ccurl_set_long(pointer, CURLOPT_TIMEOUT_MS, transfer.request.timeout.curlMilliseconds)
        setMethodAndBody(transfer.request)
        setHeaders(transfer.request)
        // Not retained: this handle holds the transfer until it is finished.
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        ccurl_set_pointer(pointer, CURLOPT_PREREQDATA, context)
        ccurl_set_pointer(pointer, CURLOPT_HEADERDATA, context)
        ccurl_set_pointer(pointer, CURLOPT_WRITEDATA, context)
    }

    private func setMethodAndBody(_ request: HTTPRequest) {
        // Of the request before.
        ccurl_set_pointer(pointer, CURLOPT_CUSTOMREQUEST, nil)
        switch request.method {
        case .get: ccurl_set_long(pointer, CURLOPT_HTTPGET, 1)
        case .post:
            ccurl_set_long(pointer, CURLOPT_POST, 1)
            // The size comes first: COPYPOSTFIELDS copies that many bytes. Without fields libcurl reads standard input.
            ccurl_set_long(pointer, CURLOPT_POSTFIELDSIZE, request.body?.count ?? 0)
            if let body = request.body, !body.isEmpty {
                body.withUnsafeBytes { bytes in
                    let address = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                    _ = ccurl_set_pointer(pointer, CURLOPT_COPYPOSTFIELDS, address)
                }
            } else {
                ccurl_set_string(pointer, CURLOPT_COPYPOSTFIELDS, "")
            }
        case .delete:
            ccurl_set_long(pointer, CURLOPT_HTTPGET, 1)
            ccurl_set_string(pointer, CURLOPT_CUSTOMREQUEST, "DELETE")
        }
    }

    private func setHeaders(_ request: HTTPRequest) {
        curl_slist_free_all(headerList)
        // Without this, libcurl asks for permission to send a large body and waits a second for the answer.
        headerList = curl_slist_append(nil, "Expect:")
        var line: [UInt8] = []
        for header in request.headers {
            line.removeAll(keepingCapacity: true)
            line += header.name.utf8
            line += ": ".utf8
            line += header.value.utf8
            line.append(0)
            line.withUnsafeBufferPointer { line in
                line.withMemoryRebound(to: CChar.self) { headerList = curl_slist_append(headerList, $0.baseAddress) }
            }
        }
        ccurl_set_pointer(pointer, CURLOPT_HTTPHEADER, headerList)
    }

    private func setCallbacks() {
        ccurl_set_prereq_callback(pointer) { context, _, _, _, _ in
            Transfer.from(context)?.aboutToSend() ?? CURL_PREREQFUNC_ABORT
        }
        ccurl_set_data_callback(pointer, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            Transfer.from(context)?.receiveHeader(UnsafeRawBufferPointer(start: data, count: size * count)) ?? 0
        }
        ccurl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            Transfer.from(context)?.receiveBody(UnsafeRawBufferPointer(start: data, count: size * count)) ?? 0
        }
    }

    /// Tells the transfer how it ended and lets go of it.
    func finish(_ code: CURLcode) {
        var status = 0
        _ = ccurl_get_long(pointer, CURLINFO_RESPONSE_CODE, &status)
        let detail = errorText[0] == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: errorText)
        transfer?.finish(code, status: status, detail: detail)
        transfer = nil
    }
}

extension Transfer {
    fileprivate static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension Duration {
    /// At least 1: libcurl reads 0 as no limit.
    fileprivate var curlMilliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
