import FoundationEssentials

extension Sections {
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

    func isDirectory(_ path: String) -> Bool {
        var isDirectory = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
    }

    func file(_ reader: ConfigurationReader, _ name: String) -> String? {
        guard let path = reader.string(name).map(absolute) else { return nil }
        if !FileManager.default.isReadableFile(atPath: path) { reader.fault(name, "cannot read \(path)") }
        return path
    }

    /// What the file holds; its owner should be the only one who reads it.
    func text(_ reader: ConfigurationReader, _ name: String) -> String? {
        guard let path = reader.string(name).map(absolute) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            reader.fault(name, "cannot read \(path)")
            return nil
        }
        let text = String(decoding: data, as: UTF8.self)
        guard text.contains(where: { !$0.isWhitespace }) else {
            reader.fault(name, "\(path) is empty")
            return nil
        }
        if name != "certificateFile" { warnIfExposed(reader, path) }
        return text
    }

    /// What others on the machine can read is no secret.
    func warnIfExposed(_ reader: ConfigurationReader, _ path: String) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let permissions = attributes?[.posixPermissions] as? Int, permissions & 0o007 != 0 else { return }
        reader.findings.warnings.append("everybody on this machine can use \(path); take their permissions away")
    }
}
