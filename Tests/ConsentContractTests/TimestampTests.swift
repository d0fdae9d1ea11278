import ConsentContract
import Foundation
import TestSupport
import Testing

@Suite("Timestamp", .timeLimit(.minutes(1)))
struct TimestampTests {
    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    @Test("reads and writes as Foundation does, over 9000 years", arguments: 0..<200 as Range<UInt64>)
    func agreesWithFoundation(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            // From the year 1583: before the Gregorian calendar's first full year Foundation counts Julian.
            let milliseconds = Int64.random(in: -12_212_553_600_000...253_402_300_799_999, using: &generator)
            let timestamp = Timestamp(milliseconds: milliseconds)
            let date = try Self.style.parse(timestamp.description)
            #expect(Int64((date.timeIntervalSince1970 * 1000).rounded()) == milliseconds)
            #expect(Timestamp(timestamp.description) == timestamp)
        }
    }

    @Test(
        "every offset moves the time the other way",
        arguments: [
            ("+00:00", 0), ("-00:00", 0), ("+01:00", -60), ("-05:30", 330), ("+23:59", -1439), ("-23:59", 1439),
        ]
    )
    func offsets(offset: String, minutes: Int64) {
        let utc = Timestamp("2026-12-01T09:00:00Z")?.milliseconds ?? 0
        #expect(Timestamp("2026-12-01T09:00:00\(offset)")?.milliseconds == utc + minutes * 60_000)
    }

    @Test("an offset leads no further than to the first and the last time that can be written")
    func edges() {
        #expect(Timestamp("9999-12-31T23:59:59.999-00:01")?.description == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp("9999-12-31T23:59:59.998Z")?.description == "9999-12-31T23:59:59.998Z")
        #expect(Timestamp("0000-01-01T00:00:00+23:59")?.description == "0000-01-01T00:00:00.000Z")
        #expect(Timestamp("0000-01-01T00:00:00.001Z")?.description == "0000-01-01T00:00:00.001Z")
    }

    @Test(
        "knows leap years",
        arguments: [
            ("2024-02-29", true), ("2000-02-29", true), ("2400-02-29", true), ("2100-02-29", false),
            ("1900-02-29", false),
            ("2026-02-29", false), ("2024-02-30", false), ("2026-04-31", false), ("2026-12-31", true),
            ("2026-00-10", false),
            ("2026-01-00", false), ("0000-02-29", true), ("9999-12-31", true),
        ]
    )
    func days(day: String, exists: Bool) {
        let timestamp = Timestamp("\(day)T00:00:00Z")
        #expect((timestamp != nil) == exists)
        if exists { #expect(timestamp?.description == "\(day)T00:00:00.000Z") }
    }

    @Test(
        "cuts fractions to milliseconds",
        arguments: [
            ("", 0), (".1", 100), (".12", 120), (".123", 123), (".1239", 123), (".999999999", 999), (".000000001", 0),
        ]
    )
    func fractions(fraction: String, milliseconds: Int64) {
        #expect(Timestamp("1970-01-01T00:00:01\(fraction)Z")?.milliseconds == 1000 + milliseconds)
    }

    @Test(
        "refuses every other form",
        arguments: [
            "", "2026-12-01", "2026-12-01T09:00Z", "2026-12-01T09:00:00", "2026-12-01t09:00:00Z",
            "2026-12-01T09:00:00z",
            "2026-12-01 09:00:00Z", "2026-12-01T24:00:00Z", "2026-12-01T23:60:00Z", "2026-12-01T23:59:60Z",
            "2026-12-01T09:00:00.Z", "2026-12-01T09:00:00,5Z", "2026-12-01T09:00:00.1234567890Z",
            "2026-12-01T09:00:00+0100",
            "2026-12-01T09:00:00+01", "2026-12-01T09:00:00+24:00", "2026-12-01T09:00:00+01:60", "2026-12-01T09:00:00Z ",
            " 2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z\n", "+026-12-01T09:00:00Z", "12026-12-01T09:00:00Z",
            "2026-12-01T09:00:00ZZ", "２026-12-01T09:00:00Z", "-001-12-01T09:00:00Z",
        ]
    )
    func refused(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("writes times before 1970")
    func negative() {
        #expect(Timestamp(milliseconds: -1).description == "1969-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: 0).description == "1970-01-01T00:00:00.000Z")
    }

    @Test("adds and subtracts")
    func arithmetic() {
        let timestamp = Timestamp(milliseconds: 1000)
        #expect((timestamp + .milliseconds(-1500)).milliseconds == -500)
        #expect(timestamp - Timestamp(milliseconds: 3500) == .milliseconds(-2500))
        #expect(timestamp < timestamp + .milliseconds(1))
    }
}
