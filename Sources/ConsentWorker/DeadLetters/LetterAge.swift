/// An age as people write it: `90s`, `15m`, `2h`, `7d`.
package struct LetterAge: Sendable, Hashable, CustomStringConvertible {
    package let duration: Duration

    private static let units: [(name: Character, seconds: Int)] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]

    package init(_ duration: Duration) { self.duration = duration }

    package init?(_ text: String) {
        guard let unit = Self.units.first(where: { $0.name == text.last }), let count = Int(text.dropLast()),
            (0...1_000_000_000).contains(count)
        else { return nil }
        duration = .seconds(count * unit.seconds)
    }

    /// In the largest unit of which it has one, rounded down.
    package var description: String {
        let seconds = max(0, Int(duration.components.seconds))
        guard let unit = Self.units.last(where: { seconds >= $0.seconds }) else { return "0s" }
        return "\(seconds / unit.seconds)\(unit.name)"
    }
}
