import Foundation
import JSON

/// An OTLP endpoint as a real process, which decodes by OpenTelemetry's own definitions.
final class CollectorProcess: Sendable {
    private let process: ChildProcess
    private let folder: String
    let port: Int

    enum Mode: String {
        case decoding = ""
        /// Takes requests and never answers.
        case silent = "--silent"
        /// Answers, and looks at nothing: for measurements.
        case sink = "--sink"
    }

    init(_ scene: Scene, mode: Mode = .decoding) async throws {
        let folder = "\(scene.folder)/collector"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        process = try ChildProcess(
            "\(Checkout.root)/Tests/Collector/collect",
            [folder] + (mode == .decoding ? [] : [mode.rawValue]),
            logFile: "\(folder)/log"
        )
        self.folder = folder
        let process = process
        port = try await eventually("the collector listens", within: .seconds(180)) {
            guard process.isRunning else { throw TestFailure("the collector did not start: \(process.log)") }
            let text = try? String(contentsOfFile: "\(folder)/collector.port", encoding: .utf8)
            return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
    }

    var url: String { "http://127.0.0.1:\(port)/v1/traces" }

    /// What it refused, in its own words.
    var log: String { process.log }

    /// Every span that has come, as it was decoded.
    func spans() throws -> [JSONValue] {
        let text = (try? String(contentsOfFile: "\(folder)/spans.jsonl", encoding: .utf8)) ?? ""
        return try text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
    }

    func stop() async { await process.stop() }
}
