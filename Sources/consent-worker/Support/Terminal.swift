import ArgumentParser
import ConsentWorker
import Glibc

/// Exit codes by sysexits.h.
extension ExitCode {
    static let outcome = ExitCode(1)
    static let unreachable = ExitCode(69)
    static let timedOut = ExitCode(75)
    static let configuration = ExitCode(78)
}

enum Terminal {
    /// To standard error, whole lines.
    static func complain(_ text: String) {
        let bytes = Array("consent-worker: \(text)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    /// To standard output, whole lines.
    static func say(_ text: String) {
        let bytes = Array("\(text)\n".utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}
