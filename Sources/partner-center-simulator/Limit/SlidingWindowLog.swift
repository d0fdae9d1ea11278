/// The exact log of admitted requests of one key.
///
/// Invariant: no half-open window [t, t + window) holds more than `limit` admitted stamps. It is kept whatever the
/// order in which stamps come, for requests are handled by several threads and may overtake each other by a little.
/// So a sender that never exceeds the limit as stamped is never refused, and one that does is refused at least once.
struct SlidingWindowLog: Sendable {
    /// The stamps that can still matter, ascending.
    private(set) var admitted: [Int] = []

    /// How far behind the newest stamp a late one may be and still be judged exactly.
    private static let reachNanoseconds = 10_000_000_000

    /// Admits the stamp if every window around it has room.
    mutating func admit(at stamp: MonotonicTime, limit: Int, windowMilliseconds: Int) -> Bool {
        let time = stamp.nanoseconds
        let window = windowMilliseconds * 1_000_000
        let place = insertionPlace(of: time)
        // Every run of limit + 1 neighbours that includes the new stamp must span a whole window. `start` is where the
        // run begins; in order, as nearly always, there is only one.
        for start in stride(from: max(0, place - limit), through: min(place, admitted.count - limit), by: 1) {
            let first = start < place ? admitted[start] : time
            let last = start + limit > place ? admitted[start + limit - 1] : time
            if last - first < window { return false }
        }
        admitted.insert(time, at: place)
        forgetWhatIsLongPast(window: window)
        return true
    }

    /// Nearly always at the end.
    private func insertionPlace(of time: Int) -> Int {
        var place = admitted.count
        while place > 0, admitted[place - 1] > time { place -= 1 }
        return place
    }

    /// Half of the log at once, and so seldom.
    private mutating func forgetWhatIsLongPast(window: Int) {
        guard admitted.count >= 4096, let newest = admitted.last else { return }
        let half = admitted.count / 2
        if admitted[half] < newest - window - Self.reachNanoseconds { admitted.removeFirst(half) }
    }
}
