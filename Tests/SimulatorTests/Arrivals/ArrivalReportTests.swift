import Testing

@testable import partner_center_simulator

@Suite struct ArrivalReportTests {
    private func report(_ milliseconds: [Int], limit: Int? = 2) -> ArrivalReport {
        let arrivals = milliseconds.map { arrival(at: $0) }
        return ArrivalReport(application: "a", api: .partnerCenter, limit: limit, windowMs: 1000, arrivals: arrivals)
    }

    private func arrival(
        at milliseconds: Int,
        kind: RequestKind = .grant,
        application: String = "a",
        status: Int? = 201
    ) -> Arrival {
        var arrival = Arrival(
            n: 1,
            atNs: milliseconds * 1_000_000,
            kind: kind,
            method: "POST",
            path: "/",
            admitted: status != 429
        )
        arrival.application = application
        arrival.status = status
        return arrival
    }

    @Test func `the worst window is half-open`() {
        #expect(report([0, 999, 1000]).worstWindow == 2)
        #expect(report([0, 998, 999]).worstWindow == 3)
    }

    @Test func `the worst window may lie anywhere`() {
        let report = report([0, 5000, 5100, 5200, 9000])
        #expect(report.worstWindow == 3)
        #expect(report.worstWindowAtNs == 5_000_000_000)
    }

    @Test func `the shortest span holds one arrival more than the limit`() {
        #expect(report([0, 600, 1100, 1500]).shortestSpanMs == 900)
        #expect(report([0, 600]).shortestSpanMs == nil)
        #expect(report([0, 600, 1100], limit: nil).shortestSpanMs == nil)
    }

    @Test func `the mean rate counts the intervals, not the arrivals`() {
        #expect(report([0, 500, 1000]).meanPerSecond == 2)
        #expect(report([1000]).meanPerSecond == nil)
        #expect(report([]).meanPerSecond == nil)
    }

    @Test func `arrivals that were noted out of order are measured in order`() {
        let report = report([1100, 0, 600])
        #expect(report.firstAtNs == 0)
        #expect(report.lastAtNs == 1_100_000_000)
        #expect(report.shortestSpanMs == 1100)
    }

    @Test func `refused arrivals count too`() {
        let arrivals = [arrival(at: 0), arrival(at: 1), arrival(at: 2, status: 429)]
        let report = ArrivalReport(application: "a", api: .partnerCenter, limit: 2, windowMs: 1000, arrivals: arrivals)
        #expect(report.arrivals == 3)
        #expect(report.admitted == 2)
        #expect(report.status429 == 1)
        #expect(report.worstWindow == 3)
    }

    @Test func `other applications and other APIs are left out`() {
        let arrivals = [
            arrival(at: 0), arrival(at: 0, kind: .revoke), arrival(at: 0, application: "b"),
            arrival(at: 0, kind: .graph), arrival(at: 0, kind: .token),
        ]
        let consents = ArrivalReport(application: "a", api: .partnerCenter, limit: 2, windowMs: 1, arrivals: arrivals)
        let graph = ArrivalReport(application: "a", api: .graph, limit: 2, windowMs: 1, arrivals: arrivals)
        #expect(consents.arrivals == 2)
        #expect(graph.arrivals == 1)
    }

    @Test func `a hundred thousand arrivals are measured`() {
        let report = report((0..<100_000).map { $0 * 20 }, limit: 50)
        #expect(report.worstWindow == 50)
        #expect(report.shortestSpanMs == 1000)
        #expect(report.meanPerSecond == 50)
    }
}
