/// Texts of others on a terminal.
package enum Printable {
    /// Without control characters: they could repaint the terminal, or make one line look like two.
    package static func text(_ text: String) -> String {
        var result = "".unicodeScalars
        for scalar in text.unicodeScalars {
            result.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }
}
