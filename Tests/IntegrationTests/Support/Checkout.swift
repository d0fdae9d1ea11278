import Foundation

/// Where things are in the checkout.
enum Checkout {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The executables under test: those that CONSENT_BINARIES names, else those built along with the tests.
    static let binaries =
        ProcessInfo.processInfo.environment["CONSENT_BINARIES"]
        ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path

    /// A folder of its own, removed by whoever asked for it.
    static func temporaryFolder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "consent-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return path
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Looks until something holds. For what other processes do, which tell no one.
func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(60),
    every interval: Duration = .milliseconds(20),
    _ look: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + limit
    while true {
        if let value = try await look() { return value }
        guard ContinuousClock.now < end else { throw TestFailure("not within \(limit): \(what)") }
        try await Task.sleep(for: interval)
    }
}
