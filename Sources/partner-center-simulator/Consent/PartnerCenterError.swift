/// Partner Center's classic error; its code is a number in practice, though documented as text.
struct PartnerCenterError: Error, Equatable, Sendable {
    var code: Int
    var description: String

    func answer(_ status: Int) -> Answer {
        let body: JSON = [
            "code": .integer(code),
            "description": .string(description),
            "data": [],
            "source": "PartnerFD",
        ]
        return .json(status, body)
    }
}
