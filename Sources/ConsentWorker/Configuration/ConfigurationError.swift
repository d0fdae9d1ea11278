import AMQP

/// Everything wrong with a configuration, at once.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    package struct Fault: Sendable, Hashable, CustomStringConvertible {
        /// As in `retry.maxAttempts` or `applications[0].applicationId`; empty for the file itself.
        package let path: String
        /// In the file, from 1; nil for what is missing or came from the environment.
        package let line: Int?
        package let reason: String

        package var description: String {
            let place = path.isEmpty ? "" : "\(path)"
            let at = line.map { " (line \($0))" } ?? ""
            return Printable.text(place.isEmpty && at.isEmpty ? reason : "\(place)\(at): \(reason)")
        }
    }

    package let file: String
    package let faults: [Fault]

    package var description: String {
        let noun = faults.count == 1 ? "fault" : "faults"
        return (["\(file) has \(faults.count) \(noun):"] + faults.map { "  \($0)" }).joined(separator: "\n")
    }
}
