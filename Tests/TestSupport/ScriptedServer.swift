import Glibc
import NIOConcurrencyHelpers

/// A server on a loopback port that answers from a script, byte by byte as told: what no real server would do.
///
/// Each accepted connection takes the next script; its own thread plays it. Ends with ``stop()``.
package final class ScriptedServer: Sendable {
    package enum Step: Sendable {
        /// Reads one request: the header, and the body that its Content-Length announces.
        case receive
        case send(String)
        /// Sends the text over and over until the client hangs up or so many bytes are out.
        case sendRepeatedly(String, bytes: Int)
        case close
        /// Closes so that the client sees a reset.
        case reset
        /// Does nothing until the client hangs up or the server stops.
        case hang
    }

    package let port: UInt16
    /// Every request that came, over all connections.
    package let requests = EventLog<String>()
    /// One entry a connection, when it was accepted.
    package let connections = EventLog<Int>()
    /// One entry a connection, when its script had been played and the client had hung up or been hung up on.
    package let ends = EventLog<Int>()

    private let listener: CInt
    private let open = NIOLockedValueBox<Set<CInt>>([])

    package var url: String { "http://127.0.0.1:\(port)" }

    package init(_ scripts: [[Step]]) {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) | listen(listener, 64) | getsockname(listener, pointer, &length)
            }
        }
        precondition(result == 0, "no port for a test server: errno \(errno)")
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        Self.thread { [self] in accept(scripts) }
    }

    /// Hangs up on everybody and accepts nobody any more.
    package func stop() {
        shutdown(listener, CInt(SHUT_RDWR))
        // Under the lock: a descriptor that its thread has closed meanwhile may be somebody else's already.
        open.withLockedValue { descriptors in for descriptor in descriptors { shutdown(descriptor, CInt(SHUT_RDWR)) } }
    }

    private func accept(_ scripts: [[Step]]) {
        for (index, script) in scripts.enumerated() {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            _ = open.withLockedValue { $0.insert(descriptor) }
            connections.append(index)
            Self.thread { [self] in
                play(script, descriptor)
                _ = open.withLockedValue { $0.remove(descriptor) }
                Glibc.close(descriptor)
                ends.append(index)
            }
        }
        if scripts.count == connections.events.count {
            // A further connection is counted, and hung up on at once.
            while case let descriptor = Glibc.accept(listener, nil, nil), descriptor >= 0 {
                connections.append(connections.events.count)
                Glibc.close(descriptor)
            }
        }
        Glibc.close(listener)
    }

    private func play(_ script: [Step], _ descriptor: CInt) {
        for step in script {
            switch step {
            case .receive:
                guard let request = Self.request(descriptor) else { return }
                requests.append(request)
            case .send(let text):
                guard Self.write(text, descriptor) else { return }
            case .sendRepeatedly(let text, let bytes):
                var sent = 0
                while sent < bytes {
                    guard Self.write(text, descriptor) else { return }
                    sent += text.utf8.count
                }
            case .close:
                return
            case .reset:
                var option = linger(l_onoff: 1, l_linger: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
                return
            case .hang:
                while Self.byte(descriptor) != nil {}
                return
            }
        }
        // The end of a script keeps the connection until the client hangs up.
        while Self.byte(descriptor) != nil {}
    }

    private static func request(_ descriptor: CInt) -> String? {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = byte(descriptor) else { return nil }
            bytes.append(byte)
        }
        let header = String(decoding: bytes, as: UTF8.self).lowercased()
        let length = header.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
        for _ in 0..<(length.flatMap { Int($0.dropFirst(16)) } ?? 0) {
            guard let byte = byte(descriptor) else { return nil }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func byte(_ descriptor: CInt) -> UInt8? {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
    }

    private static func write(_ text: String, _ descriptor: CInt) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Body(body))
        let result = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            context.toOpaque()
        )
        precondition(result == 0, "no thread for a test server: errno \(result)")
        pthread_detach(thread)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
