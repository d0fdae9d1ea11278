import Glibc

/// Files of the package, found from this one: tests run in any directory.
package enum Fixtures {
    package struct File: Sendable, CustomStringConvertible {
        package let name: String
        package let bytes: [UInt8]

        package var description: String { name }
    }

    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

    /// A path below the package's folder, in full.
    package static func path(_ path: String) -> String { "\(root)/\(path)" }

    /// The file at a path below the package's folder.
    /// - Returns: an empty file if there is none, which no test accepts.
    package static func file(_ path: String) -> File {
        let name = String(path.split(separator: "/").last ?? "")
        guard let stream = fopen("\(root)/\(path)", "rb") else { return File(name: name, bytes: []) }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 { bytes += buffer[..<count] }
        return File(name: name, bytes: bytes)
    }

    /// The files of a folder whose names pass, sorted by name.
    package static func files(in folder: String, where accepts: (String) -> Bool) -> [File] {
        guard let directory = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix("."), accepts(name) { names.append(name) }
        }
        return names.sorted().map { file("\(folder)/\($0)") }
    }
}
