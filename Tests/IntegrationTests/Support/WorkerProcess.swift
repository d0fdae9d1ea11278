import Foundation
import HTTP
import JSON

/// A worker as a real process.
final class WorkerProcess: Sendable {
    private let process: ChildProcess
    let adminURL: String

    init(scene: Scene, adminPort: Int, logFile: String, environment: [String: String]) throws {
        process = try ChildProcess(
            "\(Checkout.binaries)/consent-worker",
            ["run", "--config", scene.configurationFile],
            logFile: logFile,
            environment: environment.merging(["CONSENT_ADMIN_LISTEN": "127.0.0.1:\(adminPort)"]) { $1 }
        )
        adminURL = "http://127.0.0.1:\(adminPort)"
    }

    var pid: Int32 { process.pid }

    var log: String { process.log }

    var isRunning: Bool { process.isRunning }

    func waitUntilReady(within limit: Duration = .seconds(60)) async throws {
        _ = try await eventually("the worker is ready", within: limit) {
            guard process.isRunning else { throw TestFailure("the worker ended: \(process.log)") }
            return try await probe("readyz")?.status == 200 ? true : nil
        }
    }

    /// A probe's status and body; nil while nobody listens.
    func probe(_ path: String) async throws -> (status: Int, body: JSONValue)? {
        try await get(path).map { ($0.status, try JSONParser.parse($0.body)) }
    }

    /// An answer of the admin listener; nil while nobody listens.
    func get(_ path: String) async -> HTTPResponse? {
        let client = HTTPClient()
        let response = try? await client.send(HTTPRequest(.get, "\(adminURL)/\(path)", timeout: .seconds(5)))
        await client.shutdown()
        return response
    }

    /// SIGTERM, and SIGKILL if it has not ended by then.
    @discardableResult
    func stop(within limit: Duration = .seconds(60)) async -> Int32 { await process.stop(within: limit) }

    func kill() async { await process.kill() }

    /// Tells it to end, without waiting for that.
    func terminate() { process.signal(SIGTERM) }

    /// The process stands still, as in a paused virtual machine, until ``resume()``.
    func suspend() { process.signal(SIGSTOP) }

    /// Has it read its configuration again.
    func reload() { process.signal(SIGHUP) }

    func resume() { process.signal(SIGCONT) }

    /// The applications that it owns, as it says itself.
    func owns() async throws -> Set<String> {
        Set(try await probe("readyz")?.body["owns"]?.array?.compactMap(\.string) ?? [])
    }

    /// Its own ends of the connections to a local port.
    func localPorts(to port: Int) throws -> [Int] {
        let folder = "/proc/\(process.pid)/fd"
        let sockets = Set(
            try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            }
        )
        // Not by `String(contentsOfFile:)`, which ends after the first block of a file that has no size.
        let file = FileHandle(forReadingAtPath: "/proc/\(process.pid)/net/tcp")
        let table = String(decoding: try file?.readToEnd() ?? Data(), as: UTF8.self)
        return table.split(separator: "\n").dropFirst().compactMap { line in
            // sl, local address, remote address, …; the inode is the tenth.
            let fields = line.split(separator: " ")
            guard fields.count > 9, sockets.contains("socket:[\(fields[9])]"),
                fields[2].hasSuffix(":" + String(format: "%04X", port))
            else { return nil }
            return fields[1].split(separator: ":").last.flatMap { Int($0, radix: 16) }
        }
    }

    /// Processor time that it has used.
    func processorSeconds() throws -> Double {
        let file = FileHandle(forReadingAtPath: "/proc/\(process.pid)/stat")
        let text = String(decoding: try file?.readToEnd() ?? Data(), as: UTF8.self)
        // After the name in parentheses; in ticks of which Linux has 100 a second.
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw TestFailure("no processor time of process \(process.pid)")
        }
        return (user + system) / 100
    }

    /// Resident memory in kilobytes, at present or the most there ever was.
    func residentKilobytes(peak: Bool = false) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        let name = peak ? "VmHWM:" : "VmRSS:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let value = Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "")
        else { throw TestFailure("no \(name) of process \(process.pid)") }
        return value
    }
}
