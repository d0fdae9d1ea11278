/// What is wrong with a line of the input.
struct LineFault: Equatable {
    let line: Int
    let reason: String
    /// The body's member that the line does not have itself: the fault is the command line's, or of all such lines.
    var absentMember = false
}

extension [LineFault] {
    /// For people: by line; what many lines have in common once, with all of their numbers.
    func text(ofLines total: Int) -> [String] {
        let grouped = Dictionary(grouping: filter(\.absentMember), by: \.reason).map { reason, faults in
            let lines = faults.map(\.line).sorted()
            let all = lines.count == total && total > 1
            let numbers = lines.map(String.init).joined(separator: ", ")
            return (lines[0], "\(all ? "every line" : "\(lines.count == 1 ? "line" : "lines") \(numbers)"): \(reason)")
        }
        let single = filter { !$0.absentMember }.map { ($0.line, "line \($0.line): \($0.reason)") }
        return (grouped + single).sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
    }
}
