import CCurl

/// The libcurl multi handle with its easy handles: the only place that holds libcurl's pointers.
///
/// libcurl allows one thread a handle; the actor that stores this is confined to its event loop.
final class MultiHandle {
    private let pointer: UnsafeMutableRawPointer
    private let options: HTTPOptions
    private var running: [ObjectIdentifier: EasyHandle] = [:]
    private var idle: [EasyHandle] = []
    private let outgoing = Transfer.Outgoing()
    private let poll = SocketPoll()

    init(_ options: HTTPOptions) {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        guard let pointer = curl_multi_init() else { fatalError("out of memory for an HTTP client") }
        self.pointer = pointer
        self.options = options
        ccurl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, options.maximumConnections)
        ccurl_multi_set_long(pointer, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        // Not retained: this handle holds it.
        let context = Unmanaged.passUnretained(poll).toOpaque()
        ccurl_multi_set_socket_callback(
            pointer,
            { _, socket, what, context, _ in
                SocketPoll.from(context)?.watch(socket, what)
                return 0
            },
            context
        )
        ccurl_multi_set_timer_callback(
            pointer,
            { _, milliseconds, context in
                SocketPoll.from(context)?.setTimer(milliseconds)
                return 0
            },
            context
        )
    }

    deinit {
        for handle in running.values {
            curl_multi_remove_handle(pointer, handle.pointer)
            handle.transfer?.cancel()
        }
        curl_multi_cleanup(pointer)
    }

    func start(_ transfer: Transfer) {
        let handle = idle.popLast() ?? EasyHandle(options)
        handle.prepare(transfer)
        running[ObjectIdentifier(transfer)] = handle
        transfer.outgoing = outgoing
        guard curl_multi_add_handle(pointer, handle.pointer) == CURLM_OK else {
            running[ObjectIdentifier(transfer)] = nil
            return handle.finish(CURLE_FAILED_INIT)
        }
    }

    /// Drops a transfer; its connection is closed, because the answer may be on its way.
    func cancel(_ transfer: Transfer) {
        guard let handle = running.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
        curl_multi_remove_handle(pointer, handle.pointer)
        // Before the handle says how it ended: the first result counts.
        transfer.cancel()
        handle.finish(CURLE_ABORTED_BY_CALLBACK)
        idle.append(handle)
    }

    /// Waits until a transfer can move on, `wakeup` is readable or a timer is due, and finishes what is through.
    func turn(wakeup: CInt, mayWait: Bool) {
        // What was just started is written now, not after the wait.
        serveTimer()
        for ready in poll.wait(wakeup: wakeup, mayWait: mayWait && !collect()) {
            var count: CInt = 0
            curl_multi_socket_action(pointer, ready.socket, ready.action, &count)
        }
        serveTimer()
        collect()
    }

    private func serveTimer() {
        guard poll.takeTimer() else { return }
        var count: CInt = 0
        curl_multi_socket_action(pointer, CURL_SOCKET_TIMEOUT, 0, &count)
    }

    /// Tells what was written and finishes what is through; true if there was any.
    @discardableResult
    private func collect() -> Bool {
        // Asked right before they were written, told right after.
        for transfer in outgoing.transfers { transfer.request.onSent?() }
        outgoing.transfers.removeAll(keepingCapacity: true)
        var count: CInt = 0
        var isAny = false
        while let message = curl_multi_info_read(pointer, &count) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            // Read before the handle is removed, which frees the message.
            let code = ccurl_message_result(message)
            curl_multi_remove_handle(pointer, easy)
            guard let handle = EasyHandle.from(easy), let transfer = handle.transfer else { continue }
            running[ObjectIdentifier(transfer)] = nil
            handle.finish(code)
            idle.append(handle)
            isAny = true
        }
        return isAny
    }
}

extension EasyHandle {
    fileprivate static func from(_ easy: UnsafeMutableRawPointer) -> EasyHandle? {
        var context: UnsafeMutableRawPointer?
        _ = ccurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
        return context.map { Unmanaged<EasyHandle>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension SocketPoll {
    fileprivate static func from(_ context: UnsafeMutableRawPointer?) -> SocketPoll? {
        context.map { Unmanaged<SocketPoll>.fromOpaque($0).takeUnretainedValue() }
    }
}
