/// A consent that exists, or does not, without a request having made it so.
struct ConsentPreset: Decodable, Sendable {
    var customer: GUIDValue
    var application: GUIDValue
    var consented: Bool
    var grants: [ConsentGrant]

    enum CodingKeys: String, CodingKey, CaseIterable {
        case customer, application, consented, grants
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        customer = try values.decode(GUIDValue.self, forKey: .customer)
        application = try values.decode(GUIDValue.self, forKey: .application)
        consented = try values.decodeIfPresent(Bool.self, forKey: .consented) ?? true
        grants = try values.decodeIfPresent([ConsentGrant].self, forKey: .grants) ?? []
    }
}
