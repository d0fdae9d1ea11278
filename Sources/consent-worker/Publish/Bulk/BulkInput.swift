import ArgumentParser
import Glibc
import JSON

enum BulkFormat: String, ExpressibleByArgument, CaseIterable {
    case csv, jsonl

    /// By the extension of the file's name; nil if that says nothing.
    init?(ofFile name: String) {
        switch name.split(separator: ".", omittingEmptySubsequences: false).last?.lowercased() {
        case "csv": self = .csv
        case "jsonl", "ndjson": self = .jsonl
        default: return nil
        }
    }
}

/// One command as the input has it; what it does not say, the command line says.
struct BulkRow: Equatable {
    /// Where it begins in the input, from 1.
    let line: Int
    /// Members of the command's body.
    let members: JSONObject
    let correlationID: String?
}

/// All rows of an input, and what is wrong with others.
struct BulkInput {
    var rows: [BulkRow] = []
    var faults: [LineFault] = []
    /// Columns or members that no command has.
    var ignored: [String] = []

    init(_ bytes: [UInt8], _ format: BulkFormat) {
        // Spreadsheets begin UTF-8 with a byte order mark.
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        switch format {
        case .csv: readCSV(text)
        case .jsonl: readJSONLines(text)
        }
    }

    /// The bytes of a file, or of standard input for `-`.
    static func bytes(of file: String) throws -> [UInt8] {
        let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
        defer { if descriptor > STDIN_FILENO { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw BulkFailure.usage("\(file) cannot be read (\(String(cString: strerror(errno)))).")
            }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }
}
