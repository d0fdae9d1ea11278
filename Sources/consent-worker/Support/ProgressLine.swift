import Glibc

/// One line on standard error that is written over and over, where that is a terminal.
struct ProgressLine {
    static let isShown = isatty(STDERR_FILENO) == 1
    private static let interval = Duration.milliseconds(100)

    private var last: ContinuousClock.Instant?

    mutating func show(_ text: String) {
        guard Self.isShown, last.map({ .now - $0 >= Self.interval }) ?? true else { return }
        last = .now
        put("\r\(text)\u{1B}[K")
    }

    mutating func clear() {
        if last != nil { put("\r\u{1B}[K") }
        last = nil
    }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
