import ArgumentParser

/// Why a bulk publish cannot begin or go on, in words, with its exit code.
struct BulkFailure: Error, CustomStringConvertible {
    let description: String
    let exitCode: ExitCode

    /// The command line, the input or the files that are there have to be changed.
    static func usage(_ text: String) -> BulkFailure { BulkFailure(description: text, exitCode: .validationFailure) }

    /// The same command may work later.
    static func temporary(_ text: String) -> BulkFailure { BulkFailure(description: text, exitCode: .timedOut) }
}
