import Resilience
import Testing

@Suite("Waiting line")
struct WaitingLineTests {
    private func drained(_ line: WaitingLine<String>) -> [String] {
        var line = line
        var order: [String] = []
        while let next = line.popFirst() { order.append(next) }
        return order
    }

    @Test("first tries come before retries, each in order of arrival")
    func order() {
        var line = WaitingLine<String>()
        for (name, precedence) in [("r1", .retry), ("f1", .firstTry), ("r2", .retry), ("f2", .firstTry)]
            as [(String, Precedence)]
        {
            line.append(name, precedence)
        }
        #expect(drained(line) == ["f1", "f2", "r1", "r2"])
        line.removeAll { $0 == "f1" || $0 == "r2" }
        #expect(drained(line) == ["f2", "r1"])
    }

    @Test("every fifth place goes to a retry, however many first tries come")
    func noStarvation() {
        var line = WaitingLine<String>()
        line.append("r1", .retry)
        line.append("r2", .retry)
        for number in 0..<12 { line.append("f\(number)", .firstTry) }
        let order = drained(line)
        #expect(order.firstIndex(of: "r1") == 4 && order.firstIndex(of: "r2") == 9)
    }

    @Test("an empty line has nobody")
    func empty() {
        var line = WaitingLine<String>()
        let first = line.popFirst()
        #expect(first == nil && line.isEmpty)
    }
}
