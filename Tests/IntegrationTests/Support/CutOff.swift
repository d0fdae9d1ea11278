import Foundation
import NIOConcurrencyHelpers

/// A way to the broker that can be cut without either end being told: connections stay open and nothing passes.
///
/// What is under way at the cut arrives after it, as it does when a network comes back within TCP's patience.
final class CutOff: Sendable {
    let port: Int
    private let target: Int
    private let listener: Int32
    private let isCut = ConditionLock(value: false)
    private let open = NIOLockedValueBox<Set<Int32>>([])

    init(to target: Int) throws {
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) | listen(listener, 64) | getsockname(listener, $0, &length)
            }
        }
        guard result == 0 else { throw TestFailure("no port for a way to the broker: errno \(errno)") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in accept() }
    }

    var url: String { "amqp://guest:guest@127.0.0.1:\(port)/%2f" }

    func cut() { set(true) }

    func heal() { set(false) }

    /// Hangs up on everybody who is connected.
    func hangUp() { open.withLockedValue { for descriptor in $0 { shutdown(descriptor, Int32(SHUT_RDWR)) } } }

    /// Hangs up, and takes nobody any more.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        hangUp()
        heal()
    }

    private func set(_ value: Bool) {
        isCut.lock()
        isCut.unlock(withValue: value)
    }

    private func accept() {
        while case let client = Glibc.accept(listener, nil, nil), client >= 0 {
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            open.withLockedValue { $0.formUnion([client, server]) }
            Thread.detachNewThread { [self] in
                // A new connection comes no further than an old one.
                waitUntilHealed()
                if connect(server) {
                    let back = DispatchSemaphore(value: 0)
                    Thread.detachNewThread { [self] in
                        pass(from: server, to: client)
                        back.signal()
                    }
                    pass(from: client, to: server)
                    back.wait()
                }
                open.withLockedValue { open in
                    for descriptor in [client, server] { open.remove(descriptor) }
                }
                close(client)
                close(server)
            }
        }
        close(listener)
    }

    private func waitUntilHealed() {
        isCut.lock(whenValue: false)
        isCut.unlock()
    }

    /// Until one side ends; then both do.
    private func pass(from source: Int32, to sink: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            waitUntilHealed()
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let more = buffer[sent..<count].withUnsafeBytes {
                    send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { break }
                sent += more
            }
            guard sent == count else { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(sink, Int32(SHUT_RDWR))
    }

    private func connect(_ descriptor: Int32) -> Bool {
        var address = Self.loopback(target)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }
}
