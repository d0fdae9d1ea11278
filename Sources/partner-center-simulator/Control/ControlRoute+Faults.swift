extension ControlRoute {
    private struct FaultList: Decodable {
        var faults: [Fault]
        var seed: UInt64?

        enum CodingKeys: String, CodingKey, CaseIterable { case faults, seed }

        init(from decoder: any Decoder) throws {
            // One fault alone is accepted too.
            guard try decoder.container(keyedBy: CodingKeys.self).contains(.faults) else {
                faults = [try Fault(from: decoder)]
                return
            }
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            faults = try values.decode([Fault].self, forKey: .faults)
            seed = try values.decodeIfPresent(UInt64.self, forKey: .seed)
        }
    }

    func addFaults(_ call: Call) throws(Problem) -> Answer {
        let list = try call.decode(FaultList.self)
        return .json(201, ["ids": faults.add(list.faults, seed: list.seed)])
    }

    func removeFaults(_ call: Call) throws(Problem) -> Answer {
        guard call.path.count > 1 else { return done { faults.removeAll() } }
        let id = FormFields.decoded(call.path[1])
        guard faults.remove(id: id) else { throw Problem(status: 404, message: "There is no fault '\(id)'.") }
        return Answer(status: 204)
    }
}
