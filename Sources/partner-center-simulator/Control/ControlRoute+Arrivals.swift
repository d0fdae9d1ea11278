extension ControlRoute {
    private struct ArrivalList: Encodable {
        /// The moment of the answer, on the clock of `atNs`.
        var now: Int
        var arrivals: [Arrival]
    }

    func showArrivals(_ call: Call) throws(Problem) -> Answer {
        let list = arrivals.arrivals(after: try call.number("since") ?? 0, limit: try call.number("limit") ?? .max)
        return .json(200, ArrivalList(now: MonotonicTime.now().nanoseconds, arrivals: list))
    }

    func report(_ call: Call) throws(Problem) -> Answer {
        guard let application = try call.guid("application") else {
            throw Problem(message: "application is needed")
        }
        guard let api = LimitedAPI(rawValue: call.query["api"] ?? LimitedAPI.partnerCenter.rawValue) else {
            throw Problem(message: "api is partnerCenter or graph")
        }
        let settings = limits.settings
        var report = ArrivalReport(
            application: application,
            api: api,
            limit: settings.limit(of: api),
            windowMs: settings.windowMs,
            arrivals: arrivals.arrivals(after: try call.number("since") ?? 0)
        )
        if let first = report.firstAtNs, let last = report.lastAtNs {
            report.stalls = stalls.stalls(
                from: MonotonicTime(nanoseconds: first),
                through: MonotonicTime(nanoseconds: last)
            )
        }
        return .json(200, report)
    }
}
