/// A frame from the broker, copied out of librabbitmq's memory.
struct Frame: Sendable {
    enum Payload: Sendable {
        case method(Method)
        case header(bodySize: UInt64, AMQPProperties)
        case body([UInt8])
    }

    let channel: UInt16
    let payload: Payload
}

/// The methods a broker sends to a client, as far as this package uses them.
package enum Method: Sendable {
    case deliver(Deliver)
    case getOk(Deliver)
    case getEmpty
    case returned(replyCode: UInt16, replyText: String, exchange: String, routingKey: String)
    case ack(tag: UInt64, multiple: Bool)
    case nack(tag: UInt64, multiple: Bool)
    case consumerCancelled(consumerTag: String)
    case channelClose(replyCode: UInt16, replyText: String)
    case channelCloseOk
    case connectionClose(replyCode: UInt16, replyText: String)
    case connectionBlocked(reason: String)
    case connectionUnblocked
    case queueDeclareOk(queue: String, messages: Int, consumers: Int)
    case consumeOk(consumerTag: String)
    /// An answer that carries nothing of interest: open-ok, bind-ok, qos-ok and their like.
    case done
    case unknown(UInt32)

    package struct Deliver: Sendable {
        package let consumerTag: String
        package let tag: UInt64
        package let redelivered: Bool
        package let exchange: String
        package let routingKey: String

        package init(consumerTag: String, tag: UInt64, redelivered: Bool, exchange: String, routingKey: String) {
            self.consumerTag = consumerTag
            self.tag = tag
            self.redelivered = redelivered
            self.exchange = exchange
            self.routingKey = routingKey
        }
    }
}
