import CRabbitMQ

extension Frame {
    /// Copies a frame out of librabbitmq's memory, which is reused after the next release of its buffers.
    init(copying frame: amqp_frame_t) {
        channel = frame.channel
        switch CInt(frame.frame_type) {
        case AMQP_FRAME_HEADER where frame.payload.properties.class_id != UInt16(AMQP_BASIC_CLASS):
            // librabbitmq decodes them as properties of that class, in a structure of its own.
            payload = .method(.unknown(UInt32(frame.payload.properties.class_id) << 16))
        case AMQP_FRAME_HEADER:
            payload = .header(
                bodySize: frame.payload.properties.body_size,
                AMQPProperties(copying: frame.payload.properties.decoded)
            )
        case AMQP_FRAME_BODY:
            payload = .body(FieldTable.array(frame.payload.body_fragment))
        default:
            payload = .method(Method(copying: frame.payload.method))
        }
    }
}

extension Method {
    fileprivate init(copying method: amqp_method_t) {
        guard let decoded = method.decoded else {
            self = .unknown(method.id)
            return
        }
        func read<Value>(_ type: Value.Type) -> Value { decoded.assumingMemoryBound(to: type).pointee }
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            let value = read(amqp_basic_deliver_t.self)
            self = .deliver(
                Deliver(
                    consumerTag: FieldTable.string(value.consumer_tag),
                    tag: value.delivery_tag,
                    redelivered: value.redelivered != 0,
                    exchange: FieldTable.string(value.exchange),
                    routingKey: FieldTable.string(value.routing_key)
                )
            )
        case AMQP_BASIC_GET_OK_METHOD:
            let value = read(amqp_basic_get_ok_t.self)
            self = .getOk(
                Deliver(
                    consumerTag: "",
                    tag: value.delivery_tag,
                    redelivered: value.redelivered != 0,
                    exchange: FieldTable.string(value.exchange),
                    routingKey: FieldTable.string(value.routing_key)
                )
            )
        case AMQP_BASIC_GET_EMPTY_METHOD: self = .getEmpty
        case AMQP_BASIC_RETURN_METHOD:
            let value = read(amqp_basic_return_t.self)
            self = .returned(
                replyCode: value.reply_code,
                replyText: FieldTable.words(value.reply_text),
                exchange: FieldTable.string(value.exchange),
                routingKey: FieldTable.string(value.routing_key)
            )
        case AMQP_BASIC_ACK_METHOD:
            let value = read(amqp_basic_ack_t.self)
            self = .ack(tag: value.delivery_tag, multiple: value.multiple != 0)
        case AMQP_BASIC_NACK_METHOD:
            let value = read(amqp_basic_nack_t.self)
            self = .nack(tag: value.delivery_tag, multiple: value.multiple != 0)
        case AMQP_BASIC_CANCEL_METHOD:
            self = .consumerCancelled(consumerTag: FieldTable.string(read(amqp_basic_cancel_t.self).consumer_tag))
        case AMQP_BASIC_CONSUME_OK_METHOD:
            self = .consumeOk(consumerTag: FieldTable.string(read(amqp_basic_consume_ok_t.self).consumer_tag))
        case AMQP_CHANNEL_CLOSE_METHOD:
            let value = read(amqp_channel_close_t.self)
            self = .channelClose(replyCode: value.reply_code, replyText: FieldTable.words(value.reply_text))
        case AMQP_CHANNEL_CLOSE_OK_METHOD: self = .channelCloseOk
        case AMQP_CONNECTION_CLOSE_METHOD:
            let value = read(amqp_connection_close_t.self)
            self = .connectionClose(replyCode: value.reply_code, replyText: FieldTable.words(value.reply_text))
        case AMQP_CONNECTION_BLOCKED_METHOD:
            self = .connectionBlocked(reason: FieldTable.words(read(amqp_connection_blocked_t.self).reason))
        case AMQP_CONNECTION_UNBLOCKED_METHOD: self = .connectionUnblocked
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            let value = read(amqp_queue_declare_ok_t.self)
            self = .queueDeclareOk(
                queue: FieldTable.string(value.queue),
                messages: Int(value.message_count),
                consumers: Int(value.consumer_count)
            )
        case AMQP_CHANNEL_OPEN_OK_METHOD, AMQP_EXCHANGE_DECLARE_OK_METHOD, AMQP_QUEUE_BIND_OK_METHOD,
            AMQP_QUEUE_UNBIND_OK_METHOD,
            AMQP_QUEUE_DELETE_OK_METHOD, AMQP_QUEUE_PURGE_OK_METHOD, AMQP_BASIC_QOS_OK_METHOD,
            AMQP_BASIC_CANCEL_OK_METHOD, AMQP_CONFIRM_SELECT_OK_METHOD, AMQP_EXCHANGE_DELETE_OK_METHOD:
            self = .done
        default: self = .unknown(method.id)
        }
    }
}

extension AMQPProperties {
    /// Short texts that are not UTF-8 are left out: repaired they could exceed the 255 bytes that AMQP gives them.
    fileprivate init(copying decoded: UnsafeMutableRawPointer?) {
        guard let properties = decoded?.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee else { return }
        func has(_ flag: CInt) -> Bool { properties._flags & UInt32(flag) != 0 }
        if has(AMQP_BASIC_CONTENT_TYPE_FLAG) { contentType = FieldTable.text(properties.content_type) }
        if has(AMQP_BASIC_HEADERS_FLAG) { headers = FieldTable.decode(properties.headers) }
        if has(AMQP_BASIC_DELIVERY_MODE_FLAG) { deliveryMode = properties.delivery_mode }
        if has(AMQP_BASIC_CORRELATION_ID_FLAG) { correlationID = FieldTable.text(properties.correlation_id) }
        if has(AMQP_BASIC_REPLY_TO_FLAG) { replyTo = FieldTable.text(properties.reply_to) }
        if has(AMQP_BASIC_MESSAGE_ID_FLAG) { messageID = FieldTable.text(properties.message_id) }
        if has(AMQP_BASIC_TIMESTAMP_FLAG) { timestamp = properties.timestamp }
        if has(AMQP_BASIC_TYPE_FLAG) { type = FieldTable.text(properties.type) }
    }

    /// The C properties, valid as long as the pool is not recycled.
    func encoded(in pool: UnsafeMutablePointer<amqp_pool_t>) -> amqp_basic_properties_t {
        var properties = amqp_basic_properties_t()
        func set(_ flag: CInt, _ text: String?, _ field: inout amqp_bytes_t, _ flags: inout amqp_flags_t) {
            guard let text else { return }
            flags |= UInt32(flag)
            field = FieldTable.bytes(text.utf8, in: pool)
        }
        set(AMQP_BASIC_CONTENT_TYPE_FLAG, contentType, &properties.content_type, &properties._flags)
        set(AMQP_BASIC_CORRELATION_ID_FLAG, correlationID, &properties.correlation_id, &properties._flags)
        set(AMQP_BASIC_REPLY_TO_FLAG, replyTo, &properties.reply_to, &properties._flags)
        set(AMQP_BASIC_MESSAGE_ID_FLAG, messageID, &properties.message_id, &properties._flags)
        set(AMQP_BASIC_TYPE_FLAG, type, &properties.type, &properties._flags)
        if !headers.isEmpty {
            properties._flags |= UInt32(AMQP_BASIC_HEADERS_FLAG)
            properties.headers = FieldTable.encode(headers, in: pool)
        }
        if let deliveryMode {
            properties._flags |= UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG)
            properties.delivery_mode = deliveryMode
        }
        if let timestamp {
            properties._flags |= UInt32(AMQP_BASIC_TIMESTAMP_FLAG)
            properties.timestamp = timestamp
        }
        return properties
    }
}
