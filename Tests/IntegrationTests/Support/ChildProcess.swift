import Foundation
import NIOConcurrencyHelpers

/// A process that a test started, stopped by its own pid at the latest when the test ends.
final class ChildProcess: Sendable {
    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    private let process: NIOLockedValueBox<Process>
    let logFile: String

    /// Starts a process whose output goes to a file.
    init(_ executable: String, _ arguments: [String], logFile: String, environment: [String: String] = [:]) throws {
        self.logFile = logFile
        if !FileManager.default.fileExists(atPath: logFile) {
            _ = FileManager.default.createFile(atPath: logFile, contents: nil)
        }
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = Self.environment(environment)
        guard let log = FileHandle(forWritingAtPath: logFile) else { throw TestFailure("cannot write \(logFile)") }
        try log.seekToEnd()
        process.standardOutput = log
        process.standardError = log
        process.standardInput = FileHandle.nullDevice
        try process.run()
        self.process = NIOLockedValueBox(process)
    }

    var pid: Int32 { process.withLockedValue { $0.processIdentifier } }

    var isRunning: Bool { process.withLockedValue { $0.isRunning } }

    var log: String { (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) { if isRunning { Foundation.kill(pid, number) } }

    /// Waits for the end and returns the exit status; -1 for a signal.
    @discardableResult
    func waitForExit(within limit: Duration = .seconds(60)) async throws -> Int32 {
        _ = try await eventually("process \(pid) has ended", within: limit) { isRunning ? nil : true }
        return process.withLockedValue { $0.terminationReason == .exit ? $0.terminationStatus : -1 }
    }

    /// SIGTERM, and SIGKILL if that does not help.
    @discardableResult
    func stop(within limit: Duration = .seconds(60)) async -> Int32 {
        signal(SIGTERM)
        if let status = try? await waitForExit(within: limit) { return status }
        return await kill()
    }

    @discardableResult
    func kill() async -> Int32 {
        signal(SIGKILL)
        return (try? await waitForExit()) ?? -1
    }

    /// Ours, without what would change a child's configuration or the way of its requests.
    private static func environment(_ own: [String: String]) -> [String: String] {
        ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("CONSENT_") && !$0.key.lowercased().hasSuffix("_proxy") }
            .merging(own) { $1 }
    }

    /// Runs a process to its end.
    static func run(
        _ executable: String,
        _ arguments: [String],
        input: String? = nil,
        environment: [String: String] = [:],
        folder: String? = nil
    ) async throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = Self.environment(environment)
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        // Files, not pipes: nothing blocks however much is written.
        let base = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer {
            for suffix in ["in", "out", "err"] { try? FileManager.default.removeItem(atPath: "\(base).\(suffix)") }
        }
        try (input ?? "").write(toFile: "\(base).in", atomically: false, encoding: .utf8)
        for suffix in ["out", "err"] { _ = FileManager.default.createFile(atPath: "\(base).\(suffix)", contents: nil) }
        process.standardInput = FileHandle(forReadingAtPath: "\(base).in")
        process.standardOutput = FileHandle(forWritingAtPath: "\(base).out")
        process.standardError = FileHandle(forWritingAtPath: "\(base).err")
        try process.run()
        let box = NIOLockedValueBox(process)
        _ = try await eventually("\(executable) has ended", within: .seconds(120), every: .milliseconds(5)) {
            box.withLockedValue { $0.isRunning } ? nil : true
        }
        return Result(
            status: box.withLockedValue { $0.terminationStatus },
            output: try String(contentsOfFile: "\(base).out", encoding: .utf8),
            errors: try String(contentsOfFile: "\(base).err", encoding: .utf8)
        )
    }
}
