/// Keeps the order of each key: a FIFO a key, one element of a key at a time. Pure.
struct Lanes<Key: Hashable, Element> {
    private var waiting: [Key: [Element]] = [:]

    init() {}

    /// Adds an element. True if its lane was idle: the caller runs it now, and then calls ``next(in:)``.
    mutating func enter(_ key: Key, _ element: Element) -> Bool {
        guard waiting[key] != nil else {
            waiting[key] = []
            return true
        }
        waiting[key]?.append(element)
        return false
    }

    /// The element behind the one that has just ended; nil makes the lane idle.
    mutating func next(in key: Key) -> Element? {
        guard let first = waiting[key]?.first else {
            waiting[key] = nil
            return nil
        }
        waiting[key]?.removeFirst()
        return first
    }
}
