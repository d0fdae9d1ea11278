import Foundation

/// What a process takes of the machine.
struct ProcessFigures: Sendable, CustomStringConvertible {
    let residentKilobytes: Int
    /// Without its connections to the API, which it keeps for a while after a burst.
    let descriptors: Int
    let threads: Int

    init(of worker: WorkerProcess, withoutConnectionsTo port: Int) throws {
        try self.init(of: worker.pid, without: worker.localPorts(to: port).count)
    }

    init(of pid: Int32, without connections: Int = 0) throws {
        let file = FileHandle(forReadingAtPath: "/proc/\(pid)/status")
        let status = String(decoding: try file?.readToEnd() ?? Data(), as: UTF8.self)
        func value(_ name: String) throws -> Int {
            guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("\(name):") }),
                let value = Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "")
            else { throw TestFailure("no \(name) of process \(pid)") }
            return value
        }
        residentKilobytes = try value("VmRSS")
        threads = try value("Threads")
        descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count - connections
    }

    var description: String {
        "\(rounded(Double(residentKilobytes) / 1024)) MB, \(descriptors) descriptors, \(threads) threads"
    }
}
