/// AMQP 0-9-1 frames as a broker writes them.
struct FrameStream {
    struct Frame {
        var type: UInt8
        var channel: UInt16
        var payload: [UInt8]
        /// Where it tells something else than its payload's length.
        var size: UInt32?
        var end: UInt8 = 0xCE
    }

    var frames: [Frame]

    init(_ frames: [Frame]) { self.frames = frames }

    /// Reads as many frames as there are; what follows them is left out.
    init(reading bytes: [UInt8]) {
        frames = []
        var rest = bytes[...]
        while rest.count >= 8 {
            let head = Array(rest.prefix(7))
            let size = head[3...6].reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= size + 8 else { break }
            let payload = Array(rest.dropFirst(7).prefix(size))
            let end = rest[rest.startIndex + 7 + size]
            frames.append(
                Frame(type: head[0], channel: UInt16(head[1]) << 8 | UInt16(head[2]), payload: payload, end: end)
            )
            rest = rest.dropFirst(size + 8)
        }
    }

    var bytes: [UInt8] {
        frames.flatMap { frame in
            [frame.type] + Self.bytes(frame.channel) + Self.bytes(frame.size ?? UInt32(frame.payload.count))
                + frame.payload + [frame.end]
        }
    }

    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    static func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }

    static func long(_ payload: [UInt8]) -> [UInt8] { bytes(UInt32(payload.count)) + payload }

    static func method(_ channel: UInt16, _ classID: UInt16, _ methodID: UInt16, _ arguments: [UInt8] = []) -> Frame {
        Frame(type: 1, channel: channel, payload: bytes(classID) + bytes(methodID) + arguments)
    }

    static func deliver(_ channel: UInt16, tag: UInt64) -> Frame {
        method(channel, 60, 60, short("consumer-1") + bytes(tag) + [0] + short("consent.commands") + short("a.b"))
    }

    /// A content header with these flags and what they stand for.
    static func header(_ channel: UInt16, size: UInt64, flags: UInt16 = 0, _ properties: [UInt8] = []) -> Frame {
        Frame(type: 2, channel: channel, payload: bytes(UInt16(60)) + [0, 0] + bytes(size) + bytes(flags) + properties)
    }

    static func body(_ channel: UInt16, _ bytes: [UInt8]) -> Frame { Frame(type: 3, channel: channel, payload: bytes) }

    /// A table that holds a table that holds a table, or arrays likewise.
    static func nested(_ levels: Int, arrays: Bool) -> [UInt8] {
        // From the inside out would copy as often as there are levels.
        let step = arrays ? 5 : 6
        var result = arrays ? bytes(UInt32(2 + levels * step - 1)) + [0] : []
        for level in 0..<levels {
            let inside = (levels - level - 1) * step
            result +=
                arrays
                ? [UInt8(ascii: "A")] + bytes(UInt32(inside)) : bytes(UInt32(inside + 6)) + [0, UInt8(ascii: "F")]
        }
        return arrays ? result : result + bytes(UInt32(0))
    }
}
