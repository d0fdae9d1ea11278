import FoundationEssentials

/// The file that tells a test which port was taken.
enum PortFile {
    /// Writes atomically: a reader that waits for the file never sees it half written.
    static func write(port: Int, to path: String) throws {
        try Data("\(port)\n".utf8).write(to: URL(filePath: path), options: .atomic)
    }
}
