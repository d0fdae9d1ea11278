import CCurl
import Glibc

/// The sockets that libcurl wants watched, and when it wants to be called at the latest.
///
/// With `curl_multi_perform` every call looks at each request under way; told which sockets are ready, libcurl looks at
/// those alone.
final class SocketPoll {
    struct Ready {
        let socket: curl_socket_t
        /// `CURL_CSELECT_` bits.
        let action: CInt
    }

    private static let most = 64

    private let descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
    private var wakeup: CInt?
    private var events = [epoll_event](repeating: epoll_event(), count: most)
    private var deadline: ContinuousClock.Instant?

    init() { precondition(descriptor >= 0, "no descriptors left for an HTTP client: errno \(errno)") }

    deinit { Glibc.close(descriptor) }

    // MARK: - What libcurl asks for

    /// - Parameter what: `CURL_POLL_IN`, `OUT`, `INOUT`, or `REMOVE`.
    func watch(_ socket: curl_socket_t, _ what: CInt) {
        guard what != CURL_POLL_REMOVE else {
            // Fails where the socket was closed before: then the kernel has dropped it by itself.
            epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, nil)
            return
        }
        var flags: UInt32 = 0
        if what & CURL_POLL_IN != 0 { flags |= EPOLLIN.rawValue }
        if what & CURL_POLL_OUT != 0 { flags |= EPOLLOUT.rawValue }
        set(socket, flags)
    }

    /// - Parameter milliseconds: from now; negative for never.
    func setTimer(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }

    /// Whether libcurl's timer is due; it is over then.
    func takeTimer() -> Bool {
        guard let deadline, deadline <= .now else { return false }
        self.deadline = nil
        return true
    }

    // MARK: - Waiting

    /// Blocks until a socket is ready, `wakeup` is readable, or the timer is due.
    func wait(wakeup: CInt, mayWait: Bool) -> [Ready] {
        if self.wakeup == nil {
            self.wakeup = wakeup
            set(wakeup, EPOLLIN.rawValue)
        }
        let count = epoll_wait(descriptor, &events, CInt(Self.most), mayWait ? timeout : 0)
        return events.prefix(Int(max(0, count))).compactMap { event in
            let socket = event.data.fd
            guard socket != wakeup else { return nil }
            var action: CInt = 0
            if event.events & EPOLLIN.rawValue != 0 { action |= CURL_CSELECT_IN }
            if event.events & EPOLLOUT.rawValue != 0 { action |= CURL_CSELECT_OUT }
            // A reset or hang-up alone: reading or writing tells libcurl which.
            return Ready(socket: socket, action: action == 0 ? CURL_CSELECT_ERR : action)
        }
    }

    /// In milliseconds, rounded up: a turn too early would only be taken again. -1 stands for never.
    private var timeout: CInt {
        guard let deadline else { return -1 }
        let (seconds, attoseconds) = (deadline - .now).components
        return CInt(clamping: max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1))
    }

    private func set(_ socket: CInt, _ flags: UInt32) {
        var event = epoll_event()
        event.events = flags
        event.data.fd = socket
        if epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event) != 0, errno == EEXIST {
            epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &event)
        }
    }
}
