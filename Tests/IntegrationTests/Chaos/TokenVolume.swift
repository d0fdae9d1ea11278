import Foundation

/// The directory of the refresh tokens on a disk that can be full: a small file system of its own, where mounting one
/// is allowed (as root). Elsewhere it is made read-only instead.
struct TokenVolume: Sendable {
    let path: String
    let isMounted: Bool
    private var filler: String { "\(path)/filler" }

    /// Takes over what is in the directory.
    init(at path: String) async throws {
        self.path = path
        var files: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            files[name] = try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
        }
        let result = try await ChildProcess.run(
            "/bin/mount",
            ["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", path]
        )
        isMounted = result.status == 0
        for (name, text) in files {
            try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
        }
    }

    /// Root writes in read-only directories too.
    var canBeFull: Bool { isMounted || geteuid() != 0 }

    func fill() throws {
        guard isMounted else { return try setMode(0o500) }
        _ = FileManager.default.createFile(atPath: filler, contents: nil)
        let file = FileHandle(forWritingAtPath: filler)
        // Down to the last page.
        while (try? file?.write(contentsOf: Data(count: 4096))) != nil {}
        try? file?.close()
    }

    func free() throws {
        guard isMounted else { return try setMode(0o700) }
        if FileManager.default.fileExists(atPath: filler) { try FileManager.default.removeItem(atPath: filler) }
    }

    func remove() async throws {
        try free()
        guard isMounted else { return }
        let result = try await ChildProcess.run("/bin/umount", ["-l", path])
        if result.status != 0 { throw TestFailure("cannot unmount \(path): \(result.errors)") }
    }

    private func setMode(_ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
}
