/// Texts of others, for terminals and logs.
package enum Printable {
    /// Without what could repaint a terminal, turn the direction of a line, or make one line look like two.
    package static func text(_ text: String) -> String {
        var result = "".unicodeScalars
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
