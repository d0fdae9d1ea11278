import Foundation

/// The wall clock of one process, to be put wrong while it runs; its monotonic clocks stay right.
struct WallClockOffset: Sendable {
    /// What the process has to be started with.
    let environment: [String: String]
    private let file: String

    /// Compiles what is preloaded into processes.
    static func library(in folder: String) async throws -> String {
        let library = "\(folder)/wall-clock.so"
        let source = "\(Checkout.root)/Tests/WallClock/wall-clock.c"
        let result = try await ChildProcess.run(
            "/usr/bin/env",
            ["clang", "-O2", "-shared", "-fPIC", "-o", library, source]
        )
        if result.status != 0 { throw TestFailure("\(source) does not compile: \(result.errors)") }
        return library
    }

    init(library: String, file: String) throws {
        self.file = file
        try withUnsafeBytes(of: Int64(0)) { try Data($0).write(to: URL(filePath: file)) }
        environment = ["LD_PRELOAD": library, "WALL_CLOCK_OFFSET": file]
    }

    /// In place: the process has the file mapped.
    func set(seconds: Int) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: file))
        try withUnsafeBytes(of: Int64(seconds)) { try handle.write(contentsOf: Data($0)) }
        try handle.close()
    }
}
