import JSON

/// The message that says: the permits are all there, and these are their terms. Published last when permits are seeded.
package struct PermitMarker: Sendable, Hashable {
    package var terms: PermitTerms
    /// When the configuration that asked for these terms was loaded, in milliseconds since 1970.
    package var version: Int64
    /// On every permit of this seeding and of no other.
    package var epoch: String

    package init(terms: PermitTerms, version: Int64, epoch: String) {
        self.terms = terms
        self.version = version
        self.epoch = epoch
    }

    /// Whether a process of these terms goes by this marker; if not, it seeds anew. Of different terms the later
    /// configuration's hold, so that two versions of a fleet never add up two limits.
    package func binds(_ terms: PermitTerms, version: Int64) -> Bool {
        self.terms == terms || self.version >= version
    }

    package init?(_ bytes: [UInt8]) {
        guard let value = try? JSONParser.parse(bytes),
            let requests = value["requests"]?.int, requests > 0,
            let rest = value["restMs"]?.int, rest > 0,
            let strict = value["strict"]?.bool,
            let version = value["version"]?.int,
            let epoch = value["epoch"]?.string
        else { return nil }
        self.init(
            terms: PermitTerms(requests: requests, restMilliseconds: rest, strict: strict),
            version: Int64(version),
            epoch: epoch
        )
    }

    package var bytes: [UInt8] {
        JSONValue.object(
            JSONObject(members: [
                .init(name: "requests", value: .init(terms.requests)),
                .init(name: "restMs", value: .init(terms.restMilliseconds)),
                .init(name: "strict", value: .bool(terms.strict)),
                .init(name: "version", value: .init(Int(version))),
                .init(name: "epoch", value: .string(epoch)),
            ])
        ).bytes
    }

    /// The body of a permit.
    package func permit(_ number: Int) -> [UInt8] { Array("\(epoch)/\(number)".utf8) }

    /// The epoch that a permit's body names; nil for what is no permit.
    package static func epoch(ofPermit body: [UInt8]) -> String? {
        guard let slash = body.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return String(validating: body[..<slash], as: UTF8.self)
    }
}
