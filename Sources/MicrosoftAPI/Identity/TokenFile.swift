import ConsentContract
import Glibc

/// Files that hold secrets, read whole and replaced in one step.
enum TokenFile {
    /// Larger than any token; a file above it is no token.
    private static let maximumBytes = 64 << 10
    static let temporarySuffix = ".tmp"

    /// Why a file could not be replaced, in the system's words.
    struct WriteFailure: Error, Hashable, CustomStringConvertible {
        private let code: CInt

        fileprivate init(_ code: CInt) { self.code = code }

        var description: String { String(cString: strerror(code)) }
    }

    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count > 0, count < maximumBytes else { return nil }
        return Array(bytes[..<count])
    }

    /// When the file was last changed; the beginning of time if that cannot be told.
    static func changed(_ path: String) -> Timestamp {
        var information = stat()
        guard stat(path, &information) == 0 else { return Timestamp(milliseconds: 0) }
        return Timestamp(milliseconds: Int64(information.st_mtim.tv_sec) * 1000)
    }

    /// Writes beside the file, waits until the disk has it, renames. A crash leaves the old file and at most a
    /// remnant, under a name that no other process uses: pods of one volume may have the same process ID.
    static func replace(_ path: String, with bytes: [UInt8]) throws(WriteFailure) {
        let temporary = "\(path).\(GUID.random())\(temporarySuffix)"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw WriteFailure(errno) }
        var failure = write(bytes, to: descriptor)
        if failure == nil, fsync(descriptor) != 0 { failure = WriteFailure(errno) }
        close(descriptor)
        if failure == nil, rename(temporary, path) != 0 { failure = WriteFailure(errno) }
        if let failure {
            unlink(temporary)
            throw failure
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: CInt) -> WriteFailure? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { return WriteFailure(errno) }
            rest = rest.dropFirst(count)
        }
        return nil
    }

    /// Younger ones may be another pod's, in the middle of its work.
    static func removeIfOld(_ path: String) {
        let age = SystemWallClock().now - changed(path)
        if age > .seconds(3600) { unlink(path) }
    }
}
