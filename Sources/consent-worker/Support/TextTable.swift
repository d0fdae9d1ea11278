import Glibc

/// Rows as people read them: a line each, columns as wide as needed.
struct TextTable {
    let titles: [String]
    let rows: [[String]]

    /// On a terminal without the last columns where they do not fit; the lines would break.
    var text: String {
        let table = [titles] + rows
        var widths = titles.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        let room = Self.terminalWidth ?? .max
        while widths.count > 6, widths.reduce(0, +) + 2 * (widths.count - 1) > room { widths.removeLast() }
        return table.map { row in
            zip(row, widths).enumerated().map { index, cell in
                let (text, width) = cell
                // Nothing is filled up behind the last one.
                return index == widths.count - 1 ? text : text + String(repeating: " ", count: width - text.count)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// nil where standard output is no terminal.
    private static var terminalWidth: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0
        else { return nil }
        return Int(size.ws_col)
    }
}
