import CRabbitMQ
import Glibc

/// One librabbitmq connection: the only place that holds its pointer.
///
/// librabbitmq allows one thread a connection (README); the actor that stores this is confined to its event loop.
/// Only raw frames are read: `amqp_consume_message` returns `UNEXPECTED_STATE` for every confirm, waits without bound
/// for the rest of a message and frees an envelope twice after an error.
final class ConnectionHandle {
    private let connection: amqp_connection_state_t
    private let pool: UnsafeMutablePointer<amqp_pool_t>
    private var descriptor: CInt = -1

    private init() {
        guard let connection = amqp_new_connection() else { fatalError("out of memory for an AMQP connection") }
        self.connection = connection
        pool = .allocate(capacity: 1)
        init_amqp_pool(pool, 4096)
    }

    /// Connects and logs in, blocking the calling thread for at most `options.connectTimeout` a step.
    static func open(
        _ endpoint: AMQPEndpoint,
        _ options: AMQPOptions,
        name: String
    ) throws(AMQPError) -> ConnectionHandle {
        let handle = ConnectionHandle()
        try connect(handle.connection, endpoint, options)
        handle.descriptor = amqp_get_sockfd(handle.connection)
        setUserTimeout(handle.descriptor, options.heartbeat)
        try login(handle.connection, endpoint, options, name: name, pool: handle.pool)
        return handle
    }

    deinit {
        // Closes the socket without a closing handshake, which could hang on a dead peer.
        amqp_destroy_connection(connection)
        empty_amqp_pool(pool)
        pool.deallocate()
    }

    /// What was agreed on: the broker may want it shorter than we asked for.
    var heartbeat: Duration { .seconds(Int(amqp_get_heartbeat(connection))) }

    // MARK: - Frames in

    /// True while frames are buffered: the socket then need not become readable for them to be handled.
    var hasBufferedFrames: Bool {
        amqp_frames_enqueued(connection) != 0 || amqp_data_in_buffer(connection) != 0
    }

    /// The next frame, or nil when nothing more has come. Also sends and checks heartbeats, so it is to be called at
    /// least every half heartbeat.
    func nextFrame() throws(AMQPError) -> Frame? {
        var frame = amqp_frame_t()
        var zero = timeval(tv_sec: 0, tv_usec: 0)
        let status = amqp_simple_wait_frame_noblock(connection, &frame, &zero)
        if status == AMQP_STATUS_TIMEOUT.rawValue {
            // Frames of unknown types are passed over, but kept until a release.
            amqp_maybe_release_buffers(connection)
            return nil
        }
        try Self.check(status, "the connection to the broker was lost")
        // The copy comes first: releasing reuses the memory that the frame points to. Without releasing it grows.
        let copy = Frame(copying: frame)
        amqp_maybe_release_buffers(connection)
        return copy
    }

    /// Blocks until the socket, or `wakeup`, has something to read, or the time is up.
    func wait(wakeup: CInt, milliseconds: CInt) {
        var entries = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&entries, 2, milliseconds)
    }

    /// Whether the kernel takes more without blocking. librabbitmq sends without a deadline, so a full socket would
    /// hold the thread for as long as the broker does not read.
    var isWritable: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLOUT) != 0
    }

    /// Holds frames back until they fill a packet, or sends what is held back.
    func cork(_ holds: Bool) {
        var value: CInt = holds ? 1 : 0
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Blocks until the socket takes more, has something to read, or the time is up.
    func waitWritable(wakeup: CInt, milliseconds: CInt) {
        var entries = [
            pollfd(fd: descriptor, events: Int16(POLLIN | POLLOUT), revents: 0),
            pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&entries, 2, milliseconds)
    }

    // MARK: - Methods out

    func publish(_ message: AMQPMessage, channel: UInt16) throws(AMQPError) {
        defer { recycle_amqp_pool(pool) }
        var properties = message.properties.encoded(in: pool)
        let exchange = FieldTable.bytes(message.exchange.utf8, in: pool)
        let routingKey = FieldTable.bytes(message.routingKey.utf8, in: pool)
        let status = message.body.withUnsafeBytes { body in
            amqp_basic_publish(
                connection,
                channel,
                exchange,
                routingKey,
                message.mandatory ? 1 : 0,
                0,
                &properties,
                amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
            )
        }
        try Self.check(status, "publishing failed")
    }

    func ack(_ tag: UInt64, channel: UInt16) throws(AMQPError) {
        try Self.check(amqp_basic_ack(connection, channel, tag, 0), "acknowledging failed")
    }

    func reject(_ tag: UInt64, requeue: Bool, channel: UInt16) throws(AMQPError) {
        try Self.check(amqp_basic_reject(connection, channel, tag, requeue ? 1 : 0), "rejecting failed")
    }

    /// Sends a request without waiting for its answer, which comes as a frame.
    func send(_ request: Request, channel: UInt16) throws(AMQPError) {
        defer { recycle_amqp_pool(pool) }
        func bytes(_ text: String) -> amqp_bytes_t { FieldTable.bytes(text.utf8, in: pool) }
        func table(_ table: AMQPTable) -> amqp_table_t { FieldTable.encode(table, in: pool) }
        switch request {
        case .connectionCloseOk:
            try send(AMQP_CONNECTION_CLOSE_OK_METHOD, amqp_connection_close_ok_t(), channel)
        case .channelOpen:
            try send(AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t(out_of_band: bytes("")), channel)
        case .channelClose:
            let close = amqp_channel_close_t(
                reply_code: AMQPReplyCode.success,
                reply_text: bytes("done"),
                class_id: 0,
                method_id: 0
            )
            try send(AMQP_CHANNEL_CLOSE_METHOD, close, channel)
        case .channelCloseOk:
            try send(AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t(), channel)
        case .confirmSelect:
            try send(AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t(nowait: 0), channel)
        case .qos(let prefetch):
            // Per consumer (global 0): quorum queues refuse the global form.
            let qos = amqp_basic_qos_t(prefetch_size: 0, prefetch_count: prefetch, global: 0)
            try send(AMQP_BASIC_QOS_METHOD, qos, channel)
        case .queueDeclare(let queue):
            let declare = amqp_queue_declare_t(
                ticket: 0,
                queue: bytes(queue.name),
                passive: queue.passive ? 1 : 0,
                durable: queue.durable ? 1 : 0,
                exclusive: queue.exclusive ? 1 : 0,
                auto_delete: queue.autoDelete ? 1 : 0,
                nowait: 0,
                arguments: table(queue.arguments)
            )
            try send(AMQP_QUEUE_DECLARE_METHOD, declare, channel)
        case .exchangeDeclare(let exchange):
            let declare = amqp_exchange_declare_t(
                ticket: 0,
                exchange: bytes(exchange.name),
                type: bytes(exchange.type),
                passive: exchange.passive ? 1 : 0,
                durable: 1,
                auto_delete: 0,
                internal: 0,
                nowait: 0,
                arguments: table(exchange.arguments)
            )
            try send(AMQP_EXCHANGE_DECLARE_METHOD, declare, channel)
        case .queueBind(let binding):
            let bind = amqp_queue_bind_t(
                ticket: 0,
                queue: bytes(binding.queue),
                exchange: bytes(binding.exchange),
                routing_key: bytes(binding.routingKey),
                nowait: 0,
                arguments: table([:])
            )
            try send(AMQP_QUEUE_BIND_METHOD, bind, channel)
        case .queueUnbind(let binding):
            let unbind = amqp_queue_unbind_t(
                ticket: 0,
                queue: bytes(binding.queue),
                exchange: bytes(binding.exchange),
                routing_key: bytes(binding.routingKey),
                arguments: table([:])
            )
            try send(AMQP_QUEUE_UNBIND_METHOD, unbind, channel)
        case .queueDelete(let queue):
            let delete = amqp_queue_delete_t(ticket: 0, queue: bytes(queue), if_unused: 0, if_empty: 0, nowait: 0)
            try send(AMQP_QUEUE_DELETE_METHOD, delete, channel)
        case .exchangeDelete(let exchange):
            let delete = amqp_exchange_delete_t(ticket: 0, exchange: bytes(exchange), if_unused: 0, nowait: 0)
            try send(AMQP_EXCHANGE_DELETE_METHOD, delete, channel)
        case .consume(let queue, let tag, let exclusive):
            // no_ack is false explicitly: acknowledging a delivery that needs none closes the channel.
            let consume = amqp_basic_consume_t(
                ticket: 0,
                queue: bytes(queue),
                consumer_tag: bytes(tag),
                no_local: 0,
                no_ack: 0,
                exclusive: exclusive ? 1 : 0,
                nowait: 0,
                arguments: table([:])
            )
            try send(AMQP_BASIC_CONSUME_METHOD, consume, channel)
        case .cancel(let tag):
            try send(AMQP_BASIC_CANCEL_METHOD, amqp_basic_cancel_t(consumer_tag: bytes(tag), nowait: 0), channel)
        case .get(let queue):
            try send(AMQP_BASIC_GET_METHOD, amqp_basic_get_t(ticket: 0, queue: bytes(queue), no_ack: 0), channel)
        }
    }

    private func send<Arguments: BitwiseCopyable>(
        _ method: amqp_method_number_t,
        _ arguments: Arguments,
        _ channel: UInt16
    )
        throws(AMQPError)
    {
        var arguments = arguments
        try Self.check(amqp_send_method(connection, channel, method, &arguments), "the request could not be sent")
    }

    /// Says goodbye, blocking the thread until the broker answers or `timeout` is over.
    func close(timeout: Duration) {
        var timeout = timeval(timeout)
        amqp_set_rpc_timeout(connection, &timeout)
        amqp_connection_close(connection, CInt(AMQPReplyCode.success))
    }

    // MARK: - Errors

    private static func check(_ status: CInt, _ what: String) throws(AMQPError) {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        throw AMQPError(.connectionLost, "\(what): \(text(status))")
    }

    static func text(_ status: CInt) -> String {
        String(cString: amqp_error_string2(status))
    }
}

extension timeval {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
