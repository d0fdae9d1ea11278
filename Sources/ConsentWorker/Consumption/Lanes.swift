/// Keeps the order of each key: a FIFO a key, one element of a key at a time. Pure.
struct Lanes<Key: Hashable, Element> {
    /// The first of each is the one that runs.
    private var lanes: [Key: [Element]] = [:]
    /// Everything in hand, running or waiting.
    private(set) var count = 0

    init() {}

    var isEmpty: Bool { lanes.isEmpty }

    /// Lanes that are not idle.
    var laneCount: Int { lanes.count }

    /// Everything in hand, running or waiting, in the order of each lane.
    var elements: some Sequence<Element> { lanes.values.joined() }

    /// Of one lane, the running one first.
    subscript(key: Key) -> [Element] { lanes[key] ?? [] }

    /// Adds an element. True if its lane was idle: the caller runs it now, and then calls ``next(in:)``.
    mutating func enter(_ key: Key, _ element: Element) -> Bool {
        lanes[key, default: []].append(element)
        count += 1
        return lanes[key]?.count == 1
    }

    /// The element behind the one that has just ended; nil makes the lane idle.
    mutating func next(in key: Key) -> Element? {
        lanes[key]?.removeFirst()
        count -= 1
        guard let next = lanes[key]?.first else {
            lanes[key] = nil
            return nil
        }
        return next
    }
}
