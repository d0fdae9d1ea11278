import Glibc
import NIOCore
import NIOSSL

/// What a fault does to the connection itself.
struct ClientConnection {
    private let channel: any Channel

    /// Ends the handling of a connection that is closed or must be.
    struct Abandoned: Error {}

    init(_ channel: any Channel) {
        self.channel = channel
    }

    /// Closes with RST: with a linger time of zero the kernel sends no FIN.
    func reset() async throws {
        if let socket = channel as? any SocketOptionProvider {
            try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await closeSocket()
    }

    /// Closes without TLS's own goodbye, which would also wait for the client's.
    private func closeSocket() async throws {
        let channel = channel
        try await channel.eventLoop.flatSubmit {
            guard let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) else {
                return channel.close()
            }
            return tls.close()
        }.get()
    }

    /// Closes after what was written has been sent.
    func close() async throws {
        try await channel.close().get()
    }

    /// Waits until the client has closed its side.
    func waitForClientToClose() async throws {
        let channel = channel
        try await channel.eventLoop.flatSubmit {
            do {
                return try channel.pipeline.syncOperations.handler(type: ArrivalStampHandler.self).inputClosed
            } catch {
                // No handler: the connection is gone already.
                return channel.eventLoop.makeSucceededVoidFuture()
            }
        }.get()
    }
}
