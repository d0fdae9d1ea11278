import NIOCore

/// Finds where requests begin in the bytes of one connection, and remembers when those bytes were read.
///
/// One read may hold the end of a request and the beginning of the next (pipelining), or any part of one. Bytes are
/// therefore handed to the HTTP decoder in slices that end wherever a request may end: after an empty line, and after
/// the last byte of a body with a content length. The decoder itself reports heads and ends, so there is no second
/// opinion about HTTP here; the slices only make sure that no slice reaches over the end of a request.
struct RequestStamper {
    private enum Position {
        case betweenRequests
        case inside
    }

    private var position = Position.betweenRequests
    /// Bytes of a body with a content length that are still to come; nil while the end is marked by an empty line.
    private var bodyBytesLeft: Int?
    /// How much of CR LF CR LF the last bytes were: it may be spread over several reads.
    private var matched = 0
    private(set) var firstByte = MonotonicTime(nanoseconds: 0)

    private static let emptyLine: [UInt8] = [13, 10, 13, 10]

    /// Takes the next slice for the decoder off `buffer`, which was read at `time`; nil when nothing is left.
    mutating func nextSlice(of buffer: inout ByteBuffer, readAt time: MonotonicTime) -> ByteBuffer? {
        guard buffer.readableBytes > 0 else { return nil }
        if position == .betweenRequests {
            position = .inside
            firstByte = time
        }
        if let left = bodyBytesLeft, left > 0 {
            let length = min(left, buffer.readableBytes)
            bodyBytesLeft = left - length
            return buffer.readSlice(length: length)
        }
        return buffer.readSlice(length: lengthThroughEmptyLine(in: buffer))
    }

    /// The decoder has seen a whole head: the request's first byte came at `firstByte`.
    mutating func headDecoded(contentLength: Int?) {
        bodyBytesLeft = contentLength
    }

    /// The decoder has seen the end of the request: the next byte begins another one.
    mutating func requestEnded() {
        position = .betweenRequests
        bodyBytesLeft = nil
        matched = 0
    }

    private mutating func lengthThroughEmptyLine(in buffer: ByteBuffer) -> Int {
        var length = 0
        for byte in buffer.readableBytesView {
            length += 1
            if byte == Self.emptyLine[matched] {
                matched += 1
            } else {
                matched = byte == 13 ? 1 : 0
            }
            if matched == Self.emptyLine.count {
                matched = 0
                break
            }
        }
        return length
    }
}
