import Crypto

/// A GUID as Microsoft's APIs and this contract use it: 128 bits, written in lower case with hyphens.
package struct GUID: Sendable, Hashable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 8-4-4-4-12 hexadecimal digits of either case; nil for anything else, braces included.
    package init?(_ text: some StringProtocol) {
        // Every command has several: read without a copy where the text's bytes are in one piece, as they nearly always are.
        let read = text.utf8.withContiguousStorageIfAvailable { GUID(utf8: $0) }
        guard let guid = read ?? Array(text.utf8).withUnsafeBufferPointer({ GUID(utf8: $0) }) else { return nil }
        self = guid
    }

    private init?(utf8: UnsafeBufferPointer<UInt8>) {
        guard utf8.count == 36 else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for index in 0..<36 {
            let byte = utf8[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Self.digit(byte) else { return nil }
            // 128 bits shifted by a digit.
            high = high << 4 | low >> 60
            low = low << 4 | UInt64(digit)
        }
        self.init(high: high, low: low)
    }

    /// A GUID written in the source.
    package init(constant: StaticString) {
        guard let guid = GUID(constant.description) else { preconditionFailure("not a GUID: \(constant)") }
        self = guid
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// A random GUID (version 4).
    package static func random() -> GUID {
        GUID(
            high: UInt64.random(in: .min ... .max) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: UInt64.random(in: .min ... .max) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        )
    }

    /// The name's GUID in this namespace (version 5, RFC 9562 section 5.5): equal names give equal GUIDs everywhere.
    package func derived(from name: some Sequence<UInt8>) -> GUID {
        var hash = Insecure.SHA1()
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { hash.update(bufferPointer: $0) }
        Array(name).withUnsafeBytes { hash.update(bufferPointer: $0) }
        let (high, low) = hash.finalize().withUnsafeBytes { digest in
            (
                UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        return GUID(
            high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x5000,
            low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        )
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            func write(_ half: UInt64, hyphens: UInt64) {
                for index in 0..<UInt64(16) {
                    if hyphens & 1 << index != 0 {
                        buffer[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    let digit = UInt8(truncatingIfNeeded: half >> (60 - 4 * index)) & 15
                    buffer[position] = digit &+ (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
                    position += 1
                }
            }
            // Before the digits 8 and 12, then 0 and 4 of the other half.
            write(high, hyphens: 1 << 8 | 1 << 12)
            write(low, hyphens: 1 | 1 << 4)
            return position
        }
    }
}
