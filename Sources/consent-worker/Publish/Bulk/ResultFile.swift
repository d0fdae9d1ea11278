import ConsentContract
import Glibc
import JSON

/// The results of a run, a JSON object a line: the input's line and what the event said.
struct ResultFile {
    struct Entry {
        let outcome: String
        let effect: String
        let error: JSONValue?
        fileprivate let place: Range<Int>
    }

    /// By the input's line.
    private(set) var entries: [Int: Entry] = [:]
    private(set) var notSucceeded = 0
    private let file: LineFile
    private var unsaved: [UInt8] = []
    /// Parts of answers that were too large for one event; there is such a file only where there were any.
    private var pages: LineFile?

    init(_ path: String) throws {
        file = try LineFile(path)
        var entries: [Int: Entry] = [:]
        try file.readLines { bytes, place in
            guard let value = try? JSONParser.parse(bytes), let line = value["line"]?.int,
                let entry = Entry(value, place)
            else { throw BulkFailure.usage("\(path) holds no results of publish --from; name another with --results.") }
            // The last one counts: it replaced the others.
            entries[line] = entry
        }
        self.entries = entries
        notSucceeded = entries.values.count { !$0.isSuccess }
    }

    var path: String { file.path }

    /// Takes an event down.
    ///
    /// A command may have several events, because it was delivered twice or replayed from the dead letters:
    /// `succeeded` is then the truth, else the first.
    mutating func record(_ event: ReceivedEvent, line: Int) {
        let result = Self.result(event, line)
        let bytes = result.bytes
        let start = file.size + unsaved.count
        guard let entry = Entry(result, start..<start + bytes.count) else { return }
        if let known = entries[line] {
            guard entry.isSuccess, !known.isSuccess else { return }
            notSucceeded -= 1
        } else if !entry.isSuccess {
            notSucceeded += 1
        }
        entries[line] = entry
        unsaved += bytes + [UInt8(ascii: "\n")]
    }

    /// Takes down a part of an answer, whose event follows.
    mutating func recordPage(_ event: ReceivedEvent, line: Int) throws {
        if pages == nil {
            pages = try LineFile("\(path).pages")
            try pages?.readLines { _, _ in }
        }
        try pages?.append(Self.result(event, line).bytes + [UInt8(ascii: "\n")])
    }

    /// Those of an earlier run do not belong to this one.
    func removePages() { unlink("\(path).pages") }

    private static func result(_ event: ReceivedEvent, _ line: Int) -> JSONValue {
        var object = JSONObject()
        object.append("line", JSONValue(line))
        object.append("time", event.json["time"] ?? .null)
        for member in event.json["data"]?.object?.members ?? [] where member.name != "contract" {
            object.append(member.name, member.value)
        }
        return .object(object)
    }

    /// Returns when everything recorded is on the disk.
    mutating func save() throws {
        try pages?.synchronize()
        guard !unsaved.isEmpty else { return }
        try file.append(unsaved)
        unsaved = []
        try file.synchronize()
    }

    /// Brings the lines into the input's order, one for each command.
    mutating func finish() throws {
        try save()
        let sorted = try LineFile("\(path).new", truncating: true)
        var buffer: [UInt8] = []
        for (_, entry) in entries.sorted(by: { $0.key < $1.key }) {
            buffer += try file.read(entry.place) + [UInt8(ascii: "\n")]
            if buffer.count >= 1 << 20 {
                try sorted.append(buffer)
                buffer = []
            }
        }
        try sorted.append(buffer)
        try sorted.synchronize()
        try sorted.replace(path)
    }
}

extension ResultFile.Entry {
    fileprivate init?(_ result: JSONValue, _ place: Range<Int>) {
        guard let outcome = result["outcome"]?.string else { return nil }
        self.outcome = outcome
        effect = result["effect"]?.string ?? Effect.unknown.rawValue
        error = result["error"]?.object == nil ? nil : result["error"]
        self.place = place
    }

    var isSuccess: Bool { outcome == Outcome.succeeded.rawValue }
}
