import ConsentContract
import Glibc
import JSON

/// A file next to the results for as long as the run is not complete: which run it is, and the lines of the input whose
/// commands the broker has confirmed.
struct BulkJournal {
    let job: GUID
    private let fingerprint: GUID
    private(set) var published: Set<Int> = []
    private let file: LineFile

    static func path(nextTo results: String) -> String { "\(results).journal" }

    /// The journal of a run that has begun, nil if there is none.
    /// - Throws: ``BulkFailure`` if it is that of another input.
    init?(_ path: String, fingerprint: GUID) throws {
        guard LineFile.exists(path) else { return nil }
        file = try LineFile(path)
        var header: JSONValue?
        var lines: Set<Int> = []
        try file.readLines { line, _ in
            guard let value = try? JSONParser.parse(line) else {
                throw BulkFailure.usage("\(path) is no journal of publish --from; name another file with --results.")
            }
            if let number = value.int {
                lines.insert(number)
            } else {
                header = value
                lines = []
            }
        }
        // Publishing begins only when the header is on the disk.
        guard let header else { return nil }
        guard let job = header["job"]?.string.flatMap({ GUID($0) }), header["input"]?.string == "\(fingerprint)" else {
            throw BulkFailure.usage(
                """
                The input or the options are not those that the interrupted run began with. Run it with the same ones, \
                or begin another run with another --results.
                """
            )
        }
        self.job = job
        self.fingerprint = fingerprint
        published = lines
    }

    /// Begins a run; returns when it is on the disk.
    init(beginning job: GUID, fingerprint: GUID, at path: String) throws {
        self.job = job
        self.fingerprint = fingerprint
        file = try LineFile(path, truncating: true)
        try begin()
    }

    private func begin() throws {
        let header: JSONValue = ["job": .string("\(job)"), "input": .string("\(fingerprint)")]
        try file.append(header.bytes + [UInt8(ascii: "\n")])
        try file.synchronize()
    }

    mutating func add(_ line: Int) throws {
        published.insert(line)
        try file.append(Array("\(line)\n".utf8))
    }

    /// What was published is to be published again: from a second header on, nothing is.
    mutating func forgetPublished() throws {
        published = []
        try begin()
    }

    /// The run is complete.
    func remove() { unlink(file.path) }
}
