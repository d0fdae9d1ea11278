import HTTPTypes

/// A fault of the plan: which requests it meets, how often, and what it does to them.
struct Fault: Codable, Sendable {
    /// Given by the simulator where absent.
    var id: String?
    var match = FaultMatch()
    var action: FaultAction
    /// How many requests it meets before it is used up; absent: any number.
    var times: Int?
    /// How likely it meets a request that matches.
    var probability: Double?
    /// How many matching requests it lets pass first.
    var after: Int?
    /// Whether the request takes effect before it happens: with an action that hides the answer, an unknown outcome.
    var afterEffect = false

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, match, action, times, probability, after, afterEffect
    }

    init(_ action: FaultAction, match: FaultMatch = FaultMatch()) {
        self.action = action
        self.match = match
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        id = try values.decodeIfPresent(String.self, forKey: .id)
        match = try values.decodeIfPresent(FaultMatch.self, forKey: .match) ?? FaultMatch()
        action = try values.decode(FaultAction.self, forKey: .action)
        times = try values.decodeIfPresent(Int.self, forKey: .times)
        probability = try values.decodeIfPresent(Double.self, forKey: .probability)
        after = try values.decodeIfPresent(Int.self, forKey: .after)
        afterEffect = try values.decodeIfPresent(Bool.self, forKey: .afterEffect) ?? false
        guard (0.0...1.0).contains(probability ?? 0) else { throw decoder.refuse("probability is from 0 to 1") }
    }
}

/// Which requests a fault meets: those that agree in everything that is given.
struct FaultMatch: Codable, Equatable, Sendable {
    var kind: RequestKind?
    var method: String?
    var application: GUIDValue?
    var customer: GUIDValue?
    var partner: GUIDValue?
    var tenant: GUIDValue?
    /// A part of the path.
    var path: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, method, application, customer, partner, tenant, path
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        kind = try values.decodeIfPresent(RequestKind.self, forKey: .kind)
        method = try values.decodeIfPresent(String.self, forKey: .method)
        application = try values.decodeIfPresent(GUIDValue.self, forKey: .application)
        customer = try values.decodeIfPresent(GUIDValue.self, forKey: .customer)
        partner = try values.decodeIfPresent(GUIDValue.self, forKey: .partner)
        tenant = try values.decodeIfPresent(GUIDValue.self, forKey: .tenant)
        path = try values.decodeIfPresent(String.self, forKey: .path)
    }

    func matches(_ call: APICall, subject: Subject) -> Bool {
        agrees(kind, call.kind)
            && agrees(method?.uppercased(), call.method.rawValue)
            && agrees(application?.text, subject.application)
            && agrees(customer?.text, subject.customer)
            && agrees(partner?.text, subject.partner)
            && agrees(tenant?.text, subject.tenant)
            && (path.map { call.path.contains($0) } ?? true)
    }

    private func agrees<Value: Equatable>(_ wanted: Value?, _ actual: Value?) -> Bool {
        wanted == nil || wanted == actual
    }
}
