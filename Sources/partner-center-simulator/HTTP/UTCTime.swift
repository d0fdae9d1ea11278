import Glibc

/// A moment of the wall clock, written in the forms that the APIs use.
struct UTCTime: Sendable {
    var seconds: Int
    var nanoseconds = 0

    static func now() -> UTCTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UTCTime(seconds: Int(time.tv_sec), nanoseconds: Int(time.tv_nsec))
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, as in the header Date.
    var httpDate: String {
        let time = broken
        let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(time.tm_wday)]
        let month = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ][Int(time.tm_mon)]
        let date = "\(day), \(padded(time.tm_mday, 2)) \(month) \(Int(time.tm_year) + 1900)"
        return "\(date) \(clockFace(time)) GMT"
    }

    /// `2026-12-01 09:00:00Z`, as in errors of the token endpoint.
    var tokenErrorTimestamp: String { "\(calendarDate(broken)) \(clockFace(broken))Z" }

    /// `2026-12-01T09:00:00`, as in Graph's inner errors.
    var withoutZone: String { "\(calendarDate(broken))T\(clockFace(broken))" }

    /// `2026-12-01T09:00:00.1234567Z`: Graph writes seven fractional digits.
    var withSevenDigits: String {
        "\(withoutZone).\(padded(Int32(nanoseconds / 100), 7))Z"
    }

    private var broken: tm {
        var seconds = time_t(self.seconds)
        var result = tm()
        gmtime_r(&seconds, &result)
        return result
    }

    private func calendarDate(_ time: tm) -> String {
        "\(Int(time.tm_year) + 1900)-\(padded(time.tm_mon + 1, 2))-\(padded(time.tm_mday, 2))"
    }

    private func clockFace(_ time: tm) -> String {
        "\(padded(time.tm_hour, 2)):\(padded(time.tm_min, 2)):\(padded(time.tm_sec, 2))"
    }

    private func padded(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
