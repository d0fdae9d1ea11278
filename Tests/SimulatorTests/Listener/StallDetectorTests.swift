import Testing

@testable import partner_center_simulator

@Suite struct StallDetectorTests {
    private func detector(ticks: [Int]) -> StallDetector {
        let detector = StallDetector()
        for tick in ticks { detector.tick(at: TestValues.milliseconds(tick)) }
        return detector
    }

    @Test func `ticks in time are no stall`() {
        #expect(detector(ticks: [0, 5, 10, 30, 35]).stalls().isEmpty)
    }

    @Test func `a longer gap is noted with its beginning and length`() {
        let stalls = detector(ticks: [0, 5, 55, 60, 81]).stalls()
        #expect(stalls == [.init(atNs: 5_000_000, durationMs: 50), .init(atNs: 60_000_000, durationMs: 21)])
    }

    @Test func `only stalls that overlap a span are reported for it`() {
        let detector = detector(ticks: [0, 50, 55, 155])
        let within = detector.stalls(from: TestValues.milliseconds(60), through: TestValues.milliseconds(70))
        #expect(within.map(\.durationMs) == [100])
        #expect(detector.stalls(from: TestValues.milliseconds(156)).isEmpty)
    }

    @Test func `what is forgotten is gone, and the next gap is still measured`() {
        let detector = detector(ticks: [0, 50])
        detector.forget()
        #expect(detector.stalls().isEmpty)
        detector.tick(at: TestValues.milliseconds(80))
        #expect(detector.stalls().map(\.durationMs) == [30])
    }
}
