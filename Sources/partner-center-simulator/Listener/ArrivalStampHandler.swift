import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Stands between the socket and the HTTP decoder, and stamps each request when its first byte is read.
///
/// `RequestStampAttacher` stands behind the decoder in the same pipeline and shares the stamper: both run on the
/// connection's event loop, and the decoder calls the one synchronously from within the other.
final class ArrivalStampHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    var stamper = RequestStamper()
    private let inputClosedPromise: EventLoopPromise<Void>

    init(eventLoop: any EventLoop) {
        inputClosedPromise = eventLoop.makePromise()
    }

    /// Succeeds when the client has closed its side: a hanging answer need not wait any longer.
    var inputClosed: EventLoopFuture<Void> { inputClosedPromise.futureResult }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let time = MonotonicTime.now()
        var buffer = unwrapInboundIn(data)
        while let slice = stamper.nextSlice(of: &buffer, readAt: time) {
            context.fireChannelRead(wrapInboundOut(slice))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputClosedPromise.succeed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        inputClosedPromise.succeed()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        inputClosedPromise.succeed()
    }
}

/// Puts the stamp of a request into its head, from where the route reads it.
final class RequestStampAttacher: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let handler: ArrivalStampHandler

    init(sharing handler: ArrivalStampHandler) {
        self.handler = handler
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            handler.stamper.headDecoded(contentLength: head.headerFields[.contentLength].flatMap { Int($0) })
            // Overwrites what a client may have sent under this name.
            head.headerFields[.arrivalStamp] = String(handler.stamper.firstByte.nanoseconds)
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body:
            context.fireChannelRead(data)
        case .end:
            handler.stamper.requestEnded()
            context.fireChannelRead(data)
        }
    }
}
