import Glibc
import Resilience
import UnixSignals

/// Makes SIGINT and SIGTERM end a command between two messages.
enum Interrupt {
    /// Runs `body` with a signal that the first of them raises. The second ends the process at once: the broker takes
    /// back what is not acknowledged.
    static func run(_ body: (DrainSignal) async throws -> Void) async throws {
        let signal = DrainSignal()
        let trapped = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let watching = Task {
            for await _ in trapped {
                if signal.isRaised { _exit(75) }
                signal.raise()
            }
        }
        defer { watching.cancel() }
        try await body(signal)
    }
}
