extension ControlRoute {
    func showTokens(_ call: Call) throws(Problem) -> Answer {
        let partner = try call.guid("partner")
        let application = try call.guid("application")
        let accounts = tokens.refreshTokens
            .filter { partner == nil || $0.partner == partner }
            .filter { application == nil || $0.application == application }
        return .json(200, ["refreshTokens": accounts])
    }
}
