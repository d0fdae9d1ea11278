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
    static func complain(_ text: String) { say("consent-worker: \(text)", to: STDERR_FILENO) }

    /// Whole lines.
    static func say(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        let bytes = Array("\(text)\n".utf8)
        _ = write(descriptor, bytes, bytes.count)
    }
}
