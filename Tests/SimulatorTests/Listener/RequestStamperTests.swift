import NIOCore
import Testing

@testable import partner_center_simulator

/// The decoder's part is played by hand: it reports a head after an empty line, and an end after the body.
@Suite struct RequestStamperTests {
    private let head = "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n"

    private func slices(_ stamper: inout RequestStamper, _ text: String, at time: Int) -> [String] {
        var buffer = ByteBuffer(string: text)
        var slices: [String] = []
        while let slice = stamper.nextSlice(of: &buffer, readAt: MonotonicTime(nanoseconds: time)) {
            let text = String(buffer: slice)
            slices.append(text)
            if text.hasSuffix("\r\n\r\n") { stamper.headDecoded(contentLength: 5) }
            if text.hasSuffix("hello") { stamper.requestEnded() }
        }
        return slices
    }

    @Test func `a request in one read is stamped with it`() {
        var stamper = RequestStamper()
        let found = slices(&stamper, head + "hello", at: 7)
        #expect(found == [head, "hello"])
        #expect(stamper.firstByte.nanoseconds == 7)
    }

    @Test func `a request in many reads is stamped with the first`() {
        var stamper = RequestStamper()
        for (offset, character) in (head + "hello").unicodeScalars.enumerated() {
            _ = slices(&stamper, String(character), at: 7 + offset)
        }
        #expect(stamper.firstByte.nanoseconds == 7)
    }

    @Test func `requests in one read share its stamp, and no slice reaches over an end`() {
        var stamper = RequestStamper()
        let found = slices(&stamper, head + "hello" + head + "hello", at: 7)
        #expect(found == [head, "hello", head, "hello"])
        #expect(stamper.firstByte.nanoseconds == 7)
    }

    @Test func `the first byte of the next request counts, though the rest comes later`() {
        var stamper = RequestStamper()
        _ = slices(&stamper, head + "hello" + "P", at: 7)
        let rest = slices(&stamper, String(head.dropFirst()) + "hello", at: 9)
        #expect(rest.last == "hello")
        #expect(stamper.firstByte.nanoseconds == 7)
    }

    @Test func `the next request on an idle connection gets a stamp of its own`() {
        var stamper = RequestStamper()
        _ = slices(&stamper, head + "hello", at: 7)
        _ = slices(&stamper, head, at: 9)
        #expect(stamper.firstByte.nanoseconds == 9)
    }

    @Test func `an empty line that is spread over reads is found`() {
        var stamper = RequestStamper()
        var slices: [String] = []
        for part in ["GET / HTTP/1.1\r", "\n\r", "\nG"] {
            var buffer = ByteBuffer(string: part)
            while let slice = stamper.nextSlice(of: &buffer, readAt: MonotonicTime(nanoseconds: 1)) {
                slices.append(String(buffer: slice))
            }
        }
        #expect(slices == ["GET / HTTP/1.1\r", "\n\r", "\n", "G"])
    }

    @Test func `an empty line inside a body of known length ends nothing`() {
        var stamper = RequestStamper()
        _ = slices(&stamper, head, at: 1)
        var buffer = ByteBuffer(string: "\r\n\r\n!GET")
        let body = stamper.nextSlice(of: &buffer, readAt: MonotonicTime(nanoseconds: 2))
        #expect(body.map { String(buffer: $0) } == "\r\n\r\n!")
    }
}
