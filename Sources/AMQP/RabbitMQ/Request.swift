/// What a client asks a broker on a channel, as far as this package does.
package enum Request: Sendable {
    case connectionCloseOk
    case channelOpen
    case channelClose
    case channelCloseOk
    case confirmSelect
    case qos(prefetch: UInt16)
    case queueDeclare(AMQPQueue)
    case exchangeDeclare(AMQPExchange)
    case queueBind(AMQPBinding)
    case queueUnbind(AMQPBinding)
    case queueDelete(String)
    case exchangeDelete(String)
    case consume(queue: String, tag: String, exclusive: Bool)
    case cancel(tag: String)
    case get(queue: String)
}
