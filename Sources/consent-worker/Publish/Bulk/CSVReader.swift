/// Reads comma-separated values (RFC 4180) in UTF-8. Semicolons and tabs separate too, where the first line has them
/// instead: spreadsheets write them in many countries.
struct CSVReader {
    struct Record: Equatable {
        /// Where it begins, from 1.
        let line: Int
        let cells: [String]
    }

    private static let quote = UInt8(ascii: "\"")
    private static let separators = [",", ";", "\t"].flatMap { Array($0.utf8) }
    private static let lineEnds = Array("\r\n".utf8)

    private let bytes: [UInt8]
    private let separator: UInt8
    private var position = 0
    private var line = 1
    private var records: [Record] = []
    private var faults: [LineFault] = []

    /// Every record but blank lines, and what could not be read, each with its line.
    static func read(_ bytes: [UInt8]) -> (records: [Record], faults: [LineFault]) {
        var reader = CSVReader(bytes)
        while reader.current != nil { reader.readRecord() }
        return (reader.records, reader.faults)
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        separator = Self.separator(of: bytes) ?? UInt8(ascii: ",")
    }

    /// The first that stands outside quotes in the first line.
    private static func separator(of bytes: [UInt8]) -> UInt8? {
        var isQuoted = false
        for byte in bytes {
            if byte == quote { isQuoted.toggle() }
            if isQuoted { continue }
            if separators.contains(byte) { return byte }
            if lineEnds.contains(byte) { break }
        }
        return nil
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func readRecord() {
        let start = line
        var cells: [String] = []
        var reason: String?
        while true {
            let cell = current == Self.quote ? readQuoted(&reason) : readPlain(&reason)
            let text = String(validating: cell, as: UTF8.self)
            if text == nil { reason = "is not UTF-8; save the file as CSV in UTF-8" }
            cells.append(text ?? "")
            guard current == separator else { break }
            position += 1
        }
        skipLineEnd()
        if let reason {
            faults.append(LineFault(line: start, reason: reason))
        } else if cells != [""] {
            records.append(Record(line: start, cells: cells))
        }
    }

    private mutating func readPlain(_ reason: inout String?) -> ArraySlice<UInt8> {
        let start = position
        while let byte = current, byte != separator, !Self.lineEnds.contains(byte) {
            if byte == Self.quote { reason = "has a quote inside a cell that does not begin with one" }
            position += 1
        }
        return bytes[start..<position]
    }

    private mutating func readQuoted(_ reason: inout String?) -> ArraySlice<UInt8> {
        var cell: [UInt8] = []
        var isClosed = false
        position += 1
        while let byte = current {
            if byte == Self.quote {
                position += 1
                isClosed = current != Self.quote
                if isClosed { break }
                cell.append(byte)
                position += 1
            } else if Self.lineEnds.contains(byte) {
                let start = position
                skipLineEnd()
                cell += bytes[start..<position]
            } else {
                cell.append(byte)
                position += 1
            }
        }
        if !isClosed {
            reason = "has a quote that is never closed"
        } else if let byte = current, byte != separator, !Self.lineEnds.contains(byte) {
            _ = readPlain(&reason)
            reason = "has text behind a closing quote"
        }
        return cell[...]
    }

    private mutating func skipLineEnd() {
        guard let byte = current, Self.lineEnds.contains(byte) else { return }
        position += 1
        if byte == UInt8(ascii: "\r"), current == UInt8(ascii: "\n") { position += 1 }
        line += 1
    }
}
