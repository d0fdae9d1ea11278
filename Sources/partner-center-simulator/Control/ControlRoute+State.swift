extension ControlRoute {
    private struct ConsentState: Encodable {
        var customer: String
        var application: String
        var consented: Bool
        var grants: [ConsentGrant]
        var history: [ConsentStore.Change]
    }

    private struct Presets: Decodable {
        var consents: [ConsentPreset]

        enum CodingKeys: String, CodingKey, CaseIterable { case consents }

        init(from decoder: any Decoder) throws {
            consents = try decoder.strictContainer(keyedBy: CodingKeys.self)
                .decode([ConsentPreset].self, forKey: .consents)
        }
    }

    func showState(_ call: Call) throws(Problem) -> Answer {
        let customer = try call.guid("customer")
        let application = try call.guid("application")
        let states = consents.consents()
            .filter { pair, _ in customer.map { $0 == pair.customer } ?? true }
            .filter { pair, _ in application.map { $0 == pair.application } ?? true }
            .sorted { ($0.key.application, $0.key.customer) < ($1.key.application, $1.key.customer) }
            .map { pair, consent in
                ConsentState(
                    customer: pair.customer,
                    application: pair.application,
                    consented: consent.consented,
                    grants: consent.grants,
                    history: consent.history
                )
            }
        return .json(200, ["consents": states])
    }

    func presetState(_ call: Call) throws(Problem) -> Answer {
        let presets = try call.decode(Presets.self)
        return done { consents.preset(presets.consents) }
    }
}
