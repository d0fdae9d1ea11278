import Glibc

/// The time of day, for what other machines read: deadlines, event times.
package protocol WallClock: Sendable {
    var now: Timestamp { get }
}

/// The machine's own time of day.
package struct SystemWallClock: WallClock {
    package init() {}

    package var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
