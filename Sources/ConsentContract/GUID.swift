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
            let text = UnsafeMutableRawBufferPointer(buffer)
            let (second, third) = (Self.digits(high), Self.digits(low >> 32))
            text.storeBytes(of: Self.digits(high >> 32).bigEndian, as: UInt64.self)
            text.storeBytes(of: UInt32(truncatingIfNeeded: second >> 32).bigEndian, toByteOffset: 9, as: UInt32.self)
            text.storeBytes(of: UInt32(truncatingIfNeeded: second).bigEndian, toByteOffset: 14, as: UInt32.self)
            text.storeBytes(of: UInt32(truncatingIfNeeded: third >> 32).bigEndian, toByteOffset: 19, as: UInt32.self)
            text.storeBytes(of: UInt32(truncatingIfNeeded: third).bigEndian, toByteOffset: 24, as: UInt32.self)
            text.storeBytes(of: Self.digits(low).bigEndian, toByteOffset: 28, as: UInt64.self)
            for hyphen in [8, 13, 18, 23] { text[hyphen] = UInt8(ascii: "-") }
            return 36
        }
    }

    /// The lower 32 bits as eight hexadecimal digits, the first in the highest byte: all at once, since every command
    /// has many GUIDs written.
    private static func digits(_ value: UInt64) -> UInt64 {
        // A digit to each byte: halves apart, then quarters, then eighths.
        var digits = value & 0xFFFF_FFFF
        digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF
        digits = (digits | digits << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // 1 in each byte that is a letter: 10 and more, with 6 added, reach the byte's upper half.
        let letters = (digits + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return digits + 0x3030_3030_3030_3030 + letters * UInt64(UInt8(ascii: "a") - UInt8(ascii: "0") - 10)
    }
}
