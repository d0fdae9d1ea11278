import ConsentContract
import Glibc
import JSON
package import Logging

/// One JSON object a line on standard error: `time`, `level`, `message`, then the metadata.
package struct JSONLogHandler: LogHandler {
    package var logLevel = Logger.Level.info
    package var metadata = Logger.Metadata()

    package init() {}

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = JSONObject()
        line.append("time", .string(SystemWallClock().now.description))
        line.append("level", .string(event.level.rawValue))
        line.append("message", .string("\(event.message)"))
        var all = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { all["error"] = "\(error)" }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) { line.append(name, .string("\(value)")) }
        let bytes = JSONValue.object(line).bytes + [0x0A]
        // One write a line: lines of several threads do not mix.
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
