import Foundation
import HTTP
import JSON

/// A worker as a real process.
final class WorkerProcess: Sendable {
    private let process: ChildProcess
    private let adminURL: String

    init(scene: Scene) throws {
        process = try ChildProcess(
            "\(Checkout.binaries)/consent-worker",
            ["run", "--config", scene.configurationFile],
            logFile: "\(scene.folder)/worker.log"
        )
        adminURL = "http://127.0.0.1:\(scene.adminPort)"
    }

    var log: String { process.log }

    var isRunning: Bool { process.isRunning }

    func waitUntilReady(within limit: Duration = .seconds(30)) async throws {
        _ = try await eventually("the worker is ready", within: limit) {
            guard process.isRunning else { throw TestFailure("the worker ended: \(process.log)") }
            return try await probe("readyz")?.status == 200 ? true : nil
        }
    }

    /// A probe's status and body; nil while nobody listens.
    func probe(_ path: String) async throws -> (status: Int, body: JSONValue)? {
        let client = HTTPClient()
        let response = try? await client.send(HTTPRequest(.get, "\(adminURL)/\(path)", timeout: .seconds(5)))
        await client.shutdown()
        return try response.map { ($0.status, try JSONParser.parse($0.body)) }
    }

    @discardableResult
    func stop() async -> Int32 { await process.stop() }

    func kill() async { await process.kill() }

    /// Resident memory in kilobytes.
    func residentKilobytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let value = Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "")
        else { throw TestFailure("no VmRSS of process \(process.pid)") }
        return value
    }
}
