/// Puts the frames of one channel's messages together: method, header, body frames, in that order and uninterrupted.
///
/// Frames of different channels interleave, so each channel has its own.
package struct ContentAssembler {
    package enum Content: Sendable {
        case delivery(Method.Deliver)
        case got(Method.Deliver)
        case returned(replyCode: UInt16, replyText: String, exchange: String, routingKey: String)
    }

    package struct Message: Sendable {
        package let content: Content
        package let properties: AMQPProperties
        package let body: AMQPDelivery.Body
    }

    private enum State {
        case idle
        case header(Content)
        case body(Content, AMQPProperties, size: UInt64, received: UInt64, [UInt8])
    }

    private var state = State.idle
    private let maximumBodyBytes: UInt64

    package init(maximumBodyBytes: UInt64) { self.maximumBodyBytes = maximumBodyBytes }

    package mutating func begin(_ content: Content) throws(AMQPError) {
        guard case .idle = state else { throw violation("a message began inside another") }
        state = .header(content)
    }

    package mutating func header(bodySize: UInt64, _ properties: AMQPProperties) throws(AMQPError) -> Message? {
        guard case .header(let content) = state else { throw violation("a content header came without its method") }
        if bodySize == 0 {
            state = .idle
            return Message(content: content, properties: properties, body: .complete([]))
        }
        var body: [UInt8] = []
        if bodySize <= maximumBodyBytes { body.reserveCapacity(Int(bodySize)) }
        state = .body(content, properties, size: bodySize, received: 0, body)
        return nil
    }

    package mutating func body(_ bytes: [UInt8]) throws(AMQPError) -> Message? {
        guard case .body(let content, let properties, let size, var received, var body) = state else {
            throw violation("a body frame came without its header")
        }
        state = .idle
        received += UInt64(bytes.count)
        guard received <= size else { throw violation("a body is longer than its header says") }
        let isKept = size <= maximumBodyBytes
        if isKept { body.append(contentsOf: bytes) }
        guard received == size else {
            state = .body(content, properties, size: size, received: received, body)
            return nil
        }
        return Message(
            content: content,
            properties: properties,
            body: isKept ? .complete(body) : .tooLarge(bytes: size)
        )
    }

    /// Nothing but content frames may come between a message's method and its end.
    package func expectNoContent() throws(AMQPError) {
        guard case .idle = state else { throw violation("a method came inside a message") }
    }

    private func violation(_ reason: String) -> AMQPError {
        AMQPError(.protocolViolation, "the broker broke the protocol: \(reason)")
    }
}
