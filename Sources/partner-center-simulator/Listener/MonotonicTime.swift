import Glibc

/// Nanoseconds of CLOCK_MONOTONIC.
///
/// The clock is the same for all processes of a host, so a test may compare an arrival with a send time of its own.
struct MonotonicTime: Comparable, Hashable, Sendable {
    var nanoseconds: Int

    static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec))
    }

    static func < (left: Self, right: Self) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    func advanced(byMilliseconds milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds + milliseconds * 1_000_000)
    }

    /// The milliseconds from `earlier` to this moment.
    func milliseconds(since earlier: MonotonicTime) -> Double {
        Double(nanoseconds - earlier.nanoseconds) / 1_000_000
    }
}
