import FoundationEssentials
import Yams

/// Reads the configuration from a file and the environment, and checks it as a whole.
package enum ConfigurationLoader {
    /// - Throws: ``ConfigurationError`` with every fault.
    package static func load(file: String, environment: [String: String]) throws(ConfigurationError) -> Configuration {
        let folder = URL(filePath: file).deletingLastPathComponent().path
        return try parse(try text(of: file), file: file, folder: folder, environment: environment)
    }

    /// Only where the admin listener is. Faults elsewhere do not matter to who asks a running worker how it is.
    package static func admin(file: String, environment: [String: String]) throws(ConfigurationError)
        -> Configuration.Admin
    {
        let reader = ConfigurationReader(root: try compose(try text(of: file), file: file), environment: environment)
        let admin = Sections(folder: "").admin(reader.section("admin"))
        guard reader.findings.faults.isEmpty else {
            throw ConfigurationError(file: file, faults: reader.findings.faults)
        }
        return admin
    }

    private static func text(of file: String) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ConfigurationError(
                file: file,
                faults: [.init(path: "", line: nil, reason: "the file cannot be read; name another with --config")]
            )
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// - Parameters:
    ///   - folder: what relative paths are relative to.
    package static func parse(
        _ yaml: String,
        file: String,
        folder: String,
        environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        let reader = ConfigurationReader(root: try compose(yaml, file: file), environment: environment)
        let configuration = Sections(folder: folder).configuration(reader)
        guard reader.findings.faults.isEmpty else {
            let faults = reader.findings.faults.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
            throw ConfigurationError(file: file, faults: faults)
        }
        return configuration
    }

    private static func compose(_ yaml: String, file: String) throws(ConfigurationError) -> Node? {
        do {
            return try Yams.compose(yaml: yaml)
        } catch {
            // Yams' own text shows the line in question, which could hold a secret.
            var line: Int?
            if let error = error as? YamlError, case .parser(_, let problem, let mark, _) = error {
                line = mark.line
                throw ConfigurationError(
                    file: file,
                    faults: [.init(path: "", line: line, reason: "is not YAML: \(problem)")]
                )
            }
            throw ConfigurationError(file: file, faults: [.init(path: "", line: line, reason: "is not YAML")])
        }
    }
}
