import Glibc

/// Standard error for a log of one line a fact: whatever a publisher writes into an ID, it begins no line of its own.
package struct StandardErrorLines: TextOutputStream, Sendable {
    package init() {}

    package func write(_ text: String) {
        let bytes = Self.line(text)
        // One write a line: lines of several threads do not mix.
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }

    /// The text with its control characters as `\\u{…}`, and a newline at its end only.
    static func line(_ text: String) -> [UInt8] {
        var line = ""
        for scalar in (text.hasSuffix("\n") ? text.dropLast() : text[...]).unicodeScalars {
            if scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}" {
                line += scalar.escaped(asASCII: true)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return Array(line.utf8) + [0x0A]
    }
}
