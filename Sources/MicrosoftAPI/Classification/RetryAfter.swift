package import ConsentContract

/// The `Retry-After` header: seconds, or an HTTP date (RFC 9110 section 10.2.3).
package enum RetryAfter {
    /// The wait from `now`, never negative; nil for what is neither form.
    package static func parse(_ value: String, now: Timestamp) -> Duration? {
        if let seconds = Int(value), seconds >= 0 { return .seconds(min(seconds, 86_400)) }
        guard let date = httpDate(value) else { return nil }
        return max(.zero, date - now)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the form that servers send today.
    private static func httpDate(_ value: String) -> Timestamp? {
        let words = value.split(separator: " ")
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
            let month = months.firstIndex(of: String(words[2]))
        else { return nil }
        let number = month + 1
        return Timestamp("\(words[3])-\(number < 10 ? "0" : "")\(number)-\(words[1])T\(words[4])Z")
    }
}
