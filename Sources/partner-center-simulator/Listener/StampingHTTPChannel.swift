import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOSSL

/// HTTP/1.1 connections whose requests carry the moment in which their first byte was read.
struct StampingHTTPChannel: ServerChildChannel {
    private let base: HTTP1Channel
    private let tls: NIOSSLContext?

    /// - Parameter tls: nil for plain HTTP.
    init(tls: NIOSSLContext?, responder: @escaping HTTPChannelHandler.Responder) {
        self.tls = tls
        base = HTTP1Channel(responder: responder)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let stampHandler = ArrivalStampHandler(eventLoop: channel.eventLoop)
        do {
            // In front of everything: all that follows sees decrypted bytes only. A request's stamp is thus the moment
            // in which its first byte was decrypted, in the same turn of the loop that read the end of its TLS record;
            // handshakes are not stamped.
            if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
            try channel.pipeline.syncOperations.addHandler(stampHandler)
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        // HTTP1Channel adds its handlers behind the one that is there already. Its own hook for handlers wants
        // Sendable closures, so the attacher is put in its place, behind the decoder, once they are there.
        let value = base.setup(channel: channel, logger: logger)
        return value.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let state = try pipeline.handler(type: HTTPConnectionStateHandler.self)
            let stampHandler = try pipeline.handler(type: ArrivalStampHandler.self)
            try pipeline.addHandler(RequestStampAttacher(sharing: stampHandler), position: .before(state))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
