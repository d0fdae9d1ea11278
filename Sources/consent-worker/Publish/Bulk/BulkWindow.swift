/// Which commands are to be published, are under way, or have ended.
struct BulkWindow {
    private enum Stage { case waiting, underWay, ended }

    /// Published and without event, at most.
    let limit: Int
    private var stages: [Stage]
    private var cursor = 0
    private(set) var underWay = 0
    private(set) var ended = 0
    /// Published, but not yet confirmed by the broker.
    private(set) var unconfirmed = 0

    /// - Parameters:
    ///   - ended: of an earlier try, what has its result.
    ///   - published: what the broker has confirmed.
    init(count: Int, limit: Int, ended: some Sequence<Int>, published: some Sequence<Int>) {
        self.limit = limit
        stages = Array(repeating: .waiting, count: count)
        for index in published { stages[index] = .underWay }
        for index in ended { stages[index] = .ended }
        underWay = stages.count { $0 == .underWay }
        self.ended = stages.count { $0 == .ended }
    }

    var count: Int { stages.count }

    var isComplete: Bool { ended == count }

    /// The next one to publish, which is under way from now on; nil if there is none or the window is full.
    mutating func next() -> Int? {
        guard underWay < limit else { return nil }
        while cursor < stages.count, stages[cursor] != .waiting { cursor += 1 }
        guard cursor < stages.count else { return nil }
        stages[cursor] = .underWay
        underWay += 1
        unconfirmed += 1
        return cursor
    }

    mutating func confirm() { unconfirmed -= 1 }

    /// An event came, also one of a command that was not known to be published; returns whether it is the first.
    mutating func end(_ index: Int) -> Bool {
        if stages[index] == .ended { return false }
        if stages[index] == .underWay { underWay -= 1 }
        stages[index] = .ended
        ended += 1
        return true
    }
}
