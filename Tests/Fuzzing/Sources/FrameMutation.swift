/// Changes frames as a broker might that has gone wrong: each is then mostly still one.
struct FrameMutation: Mutation {
    func mutated(_ bytes: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        var stream = FrameStream(reading: bytes)
        guard !stream.frames.isEmpty, Int.random(in: 0..<8, using: &generator) > 0 else {
            return ByteMutation().mutated(bytes, using: &generator)
        }
        let index = Int.random(in: 0..<stream.frames.count, using: &generator)
        let other = Int.random(in: 0..<stream.frames.count, using: &generator)
        switch Int.random(in: 0..<11, using: &generator) {
        case 0: stream.frames.remove(at: index)
        case 1: stream.frames.insert(stream.frames[other], at: index)
        case 2: stream.frames.swapAt(index, other)
        case 3: stream.frames[index].channel = [0, 1, 2, 2047, 65_535].randomElement(using: &generator) ?? 0
        case 4: stream.frames[index].type = [0, 1, 2, 3, 4, 8, 65, 255].randomElement(using: &generator) ?? 0
        case 5: stream.frames[index].end = .random(in: 0...255, using: &generator)
        case 6: stream.frames[index].payload.removeLast(min(stream.frames[index].payload.count, 3))
        case 7:
            let sizes: [UInt32] = [0, 1, 3, 11, 4096, 65_528, 65_529, 0x7FFF_FFFF, 0xFFFF_FFF7, 0xFFFF_FFFF]
            stream.frames[index].size = sizes.randomElement(using: &generator)
        case 8: stream.frames.insert(Self.hostile.randomElement(using: &generator) ?? stream.frames[other], at: index)
        default:
            let payload = stream.frames[index].payload
            stream.frames[index].payload = ByteMutation().mutated(payload, using: &generator)
        }
        return stream.bytes
    }

    private static let properties: [UInt8] =
        FrameStream.short("application/json")
        + FrameStream.long(
            FrameStream.short("traceparent") + [UInt8(ascii: "S")] + FrameStream.long(Array("00-x".utf8))
                + FrameStream.short("x-delivery-count") + [UInt8(ascii: "l")] + FrameStream.bytes(Int64(2))
                + FrameStream.short("x-death")
                + [UInt8(ascii: "A")] + FrameStream.long([UInt8(ascii: "F")] + FrameStream.long([]))
                + FrameStream.short("n") + [UInt8(ascii: "d")] + FrameStream.bytes(Double.nan.bitPattern)
                + FrameStream.short("v") + [UInt8(ascii: "V")] + FrameStream.short("t") + [UInt8(ascii: "t"), 1]
        ) + [2] + FrameStream.short("order-1") + FrameStream.short("answers")

    /// Content type, headers, delivery mode, correlation ID, reply-to.
    private static let flags: UInt16 = 1 << 15 | 1 << 13 | 1 << 12 | 1 << 10 | 1 << 9

    private static let hostile: [FrameStream.Frame] = [
        FrameStream.header(1, size: 1 << 26), FrameStream.header(1, size: .max),
        // Flags that say that more flags follow, for ever.
        FrameStream.header(1, size: 1, flags: 0xFFFF, [UInt8](repeating: 0xFF, count: 4000)),
        FrameStream.header(1, size: 1, flags: 1 << 13, FrameStream.nested(10_000, arrays: false)),
        FrameStream.header(1, size: 1, flags: 1 << 13, FrameStream.nested(12_000, arrays: true)),
        FrameStream.method(1, 60, 80, FrameStream.bytes(UInt64.max) + [1]), FrameStream.method(1, 9999, 1),
        FrameStream.method(
            0,
            10,
            50,
            FrameStream.bytes(UInt16(320)) + FrameStream.short("\u{1B}[2J\r\n") + [0, 0, 0, 0]
        ),
        FrameStream.Frame(type: 8, channel: 7, payload: []),
    ]

    static let examples: [[UInt8]] = {
        let handshake = [
            FrameStream.method(
                0,
                10,
                10,
                [0, 9] + FrameStream.long([]) + FrameStream.long(Array("PLAIN".utf8)) + FrameStream.long([])
            ),
            FrameStream.method(
                0,
                10,
                30,
                FrameStream.bytes(UInt16(2047)) + FrameStream.bytes(UInt32(131_072)) + [0, 60]
            ),
            FrameStream.method(0, 10, 41, FrameStream.short("")), FrameStream.method(1, 20, 11, FrameStream.long([])),
            FrameStream.method(1, 50, 11, FrameStream.short("q") + FrameStream.bytes(UInt32(5)) + [0, 0, 0, 1]),
            FrameStream.method(1, 60, 21, FrameStream.short("consumer-1")),
        ]
        let messages = [
            FrameStream.deliver(1, tag: 1), FrameStream.header(1, size: 6, flags: flags, properties),
            FrameStream.deliver(2, tag: 1), FrameStream.body(1, [1, 2, 3]), FrameStream.header(2, size: 0),
            FrameStream.body(1, [4, 5, 6]), FrameStream.deliver(1, tag: 2), FrameStream.header(1, size: 2000),
            FrameStream.body(1, [UInt8](repeating: 7, count: 2000)),
        ]
        let others = [
            FrameStream.method(1, 60, 80, FrameStream.bytes(UInt64(1)) + [1]),
            FrameStream.method(1, 60, 120, FrameStream.bytes(UInt64(2)) + [0]),
            FrameStream.method(
                1,
                60,
                50,
                FrameStream.bytes(UInt16(312)) + FrameStream.short("NO_ROUTE") + FrameStream.short("")
                    + FrameStream.short("q")
            ),
            FrameStream.header(1, size: 0, flags: flags, properties),
            FrameStream.method(1, 20, 40, FrameStream.bytes(UInt16(406)) + FrameStream.short("no") + [0, 50, 0, 10]),
            FrameStream.method(0, 10, 60, FrameStream.short("memory")), FrameStream.method(0, 10, 61),
        ]
        return
            ([handshake, messages, others, handshake + messages + others]
            + hostile.map { [FrameStream.deliver(1, tag: 1), $0] })
            .map { FrameStream($0).bytes }
    }()
}
