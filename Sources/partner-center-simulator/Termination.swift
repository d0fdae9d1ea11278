import Glibc

/// How the process speaks and ends.
enum Termination {
    /// There is nothing to save, so a signal ends the process at once, whatever hangs.
    static func endProcessOnSignals() {
        signal(SIGTERM) { _ in _exit(0) }
        signal(SIGINT) { _ in _exit(0) }
        // A client that resets its connection is part of the tests.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Written at once, for a reader that waits for the line.
    static func printLine(_ line: String) {
        write(line, to: STDOUT_FILENO)
    }

    static func fail(_ message: String, status: Int32 = 1) -> Never {
        write("Error: \(message)", to: STDERR_FILENO)
        exit(status)
    }

    private static func write(_ line: String, to descriptor: Int32) {
        let bytes = Array("\(line)\n".utf8)
        var offset = 0
        while offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            offset += written
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
