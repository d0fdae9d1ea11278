import Glibc

/// A file of whole lines that grows at its end, open in one process at a time.
final class LineFile {
    let path: String
    private let descriptor: Int32
    private(set) var size = 0

    /// Opens the file, new if there is none.
    /// - Throws: ``BulkFailure`` if that is not possible or another process has it open.
    init(_ path: String, truncating: Bool = false) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (truncating ? O_TRUNC : 0), 0o600)
        guard descriptor >= 0 else {
            throw BulkFailure.usage("\(path) cannot be opened (\(Self.reason)); name another file with --results.")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw BulkFailure.temporary("Another process works on \(path) now; try again when it has ended.")
        }
    }

    deinit { close(descriptor) }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Hands over each line with its place. What a killed process left of a last line is cut off.
    func readLines(_ take: (_ line: [UInt8], _ place: Range<Int>) throws -> Void) throws {
        var start = 0
        var rest: [UInt8] = []
        var offset = 0
        while case let bytes = try read(offset..<offset + 1 << 20), !bytes.isEmpty {
            offset += bytes.count
            rest += bytes
            var parsed = 0
            while let end = rest[parsed...].firstIndex(of: UInt8(ascii: "\n")) {
                let place = start + parsed..<start + end
                try take(Array(rest[parsed..<end]), place)
                parsed = end + 1
            }
            rest.removeFirst(parsed)
            start += parsed
        }
        guard ftruncate(descriptor, start) == 0 else { throw failure() }
        size = start
    }

    /// The bytes at a place, fewer at the end of the file.
    func read(_ place: Range<Int>) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: place.count)
        while bytes.count < place.count {
            let count = pread(descriptor, &buffer, place.count - bytes.count, place.lowerBound + bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    /// Writes whole lines; a crash of the machine may still lose them.
    func append(_ lines: [UInt8]) throws {
        var rest = lines
        while !rest.isEmpty {
            let count = write(descriptor, rest, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            rest.removeFirst(count)
        }
        size += lines.count
    }

    /// Returns when everything is on the disk.
    func synchronize() throws {
        guard fdatasync(descriptor) == 0 else { throw failure() }
    }

    /// Takes another file's place.
    func replace(_ other: String) throws {
        guard rename(path, other) == 0 else { throw failure() }
    }

    private func failure() -> BulkFailure {
        .temporary("\(path) cannot be written (\(Self.reason)). Mend that, then run the same command again to go on.")
    }

    private static var reason: String { String(cString: strerror(errno)) }
}
