import CRabbitMQ

@testable import AMQP

extension FuzzInput {
    /// What a broker sends, through librabbitmq's reader and ours.
    static let frames = FuzzInput(
        "frames",
        FrameMutation(),
        examples: { FrameMutation.examples },
        check: check(frames:)
    )

    private static let maximumBody = 1000

    private static func check(frames bytes: [UInt8]) throws {
        guard let connection = amqp_new_connection() else { throw Broken(description: "out of memory") }
        defer { amqp_destroy_connection(connection) }
        var assemblers: [UInt16: ContentAssembler] = [:]
        var bytes = bytes
        try bytes.withUnsafeMutableBytes { buffer in
            var position = 0
            while position < buffer.count {
                let rest = amqp_bytes_t(len: buffer.count - position, bytes: buffer.baseAddress?.advanced(by: position))
                var frame = amqp_frame_t()
                let count = amqp_handle_input(connection, rest, &frame)
                guard count > 0 else { return }
                position += Int(count)
                guard [AMQP_FRAME_METHOD, AMQP_FRAME_HEADER, AMQP_FRAME_BODY].contains(CInt(frame.frame_type)) else {
                    continue
                }
                let copy = Frame(copying: frame)
                amqp_maybe_release_buffers(connection)
                guard
                    try take(
                        copy,
                        &assemblers[copy.channel, default: ContentAssembler(maximumBodyBytes: UInt64(maximumBody))]
                    )
                else {
                    return
                }
            }
        }
    }

    /// - Returns: false where the connection would end.
    private static func take(_ frame: Frame, _ assembler: inout ContentAssembler) throws -> Bool {
        do {
            switch frame.payload {
            case .method(.deliver(let deliver)): try assembler.begin(.delivery(deliver))
            case .method(.getOk(let deliver)): try assembler.begin(.got(deliver))
            case .method(.returned(let code, let text, let exchange, let key)):
                try assembler.begin(.returned(replyCode: code, replyText: text, exchange: exchange, routingKey: key))
            case .method: try assembler.expectNoContent()
            case .header(let size, let properties):
                _ = try assembler.header(bodySize: size, properties)
                try check(properties)
            case .body(let bytes):
                if let message = try assembler.body(bytes), case .complete(let body) = message.body {
                    try require(body.count <= maximumBody, "no body is larger than asked for")
                }
            }
        } catch let error as AMQPError {
            try require(error.code == .protocolViolation, "\(error)")
            return false
        }
        return true
    }

    private static func check(_ properties: AMQPProperties) throws {
        try require(
            levels(.table(properties.headers)) <= FieldTable.maximumDepth + 1,
            "headers are nested no deeper than read"
        )
        for text in [properties.correlationID, properties.replyTo, properties.messageID].compactMap(\.self) {
            try require(text.utf8.count <= 255, "a short text can be sent on")
        }
        // As they go into a dead letter.
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4096)
        defer { empty_amqp_pool(&pool) }
        var encoded = properties.encoded(in: &pool)
        var memory = [UInt8](repeating: 0, count: 256 << 10)
        let size = memory.withUnsafeMutableBytes {
            amqp_encode_properties(60, &encoded, amqp_bytes_t(len: $0.count, bytes: $0.baseAddress))
        }
        try require(size > 0, "what was read can be written: \(size)")
    }

    private static func levels(_ value: AMQPValue) -> Int {
        switch value {
        case .table(let table): 1 + (table.values.map(levels).max() ?? 0)
        case .array(let values): 1 + (values.map(levels).max() ?? 0)
        default: 0
        }
    }
}
