import JSON

/// What goes wrong with a request, and what a command of each kind comes to by it.
struct ClassificationRow: Sendable {
    /// What the simulator does instead of answering.
    struct Trouble: Sendable {
        enum Place: Sendable {
            /// At the API that carries the command out.
            case api
            /// Where the command's token is redeemed: the partner's own tenant for a write, the customer's for a query.
            case token
            /// At the partner's own tenant.
            case partnerToken
        }

        let action: JSONValue
        var place = Place.api
        /// nil for as often as it is asked.
        var times: Int?
        var afterEffect = false

        var once: Trouble {
            var trouble = self
            trouble.times = 1
            return trouble
        }

        var afterItsEffect: Trouble {
            var trouble = self
            trouble.afterEffect = true
            return trouble
        }

        /// The status that the API answers with.
        var status: Int? { place == .api ? action["status"]?["status"]?.int : nil }

        static func status(
            _ status: Int,
            _ body: JSONValue? = nil,
            type: String? = nil,
            headers: [(String, String)] = []
        ) -> Trouble {
            var answer = JSONObject()
            answer.append("status", JSONValue(status))
            if let body { answer.append("body", body) }
            if let type { answer.append("contentType", .string(type)) }
            let members = headers.map { JSONObject.Member(name: $0.0, value: .string($0.1)) }
            answer.append("headers", .object(JSONObject(members: members)))
            return Trouble(action: ["status": .object(answer)])
        }

        static func token(_ error: String, _ code: Int, status: Int? = nil) -> Trouble {
            var answer: JSONValue = ["error": .string(error), "code": JSONValue(code)]
            if let status { answer = ["error": .string(error), "code": JSONValue(code), "status": JSONValue(status)] }
            return Trouble(action: ["tokenError": answer], place: .token)
        }

        func at(_ place: Place) -> Trouble {
            var trouble = self
            trouble.place = place
            return trouble
        }
    }

    struct Expected: Sendable {
        let outcome: String
        let effect: String
        var category: String?
        /// Microsoft's own.
        var code: String?
        /// To the API.
        var requests = 1
        /// Different `ms-requestid`s among them.
        var requestIDs = 1

        static func did(_ effect: String, requests: Int = 1, requestIDs: Int = 1) -> Expected {
            Expected(outcome: "succeeded", effect: effect, requests: requests, requestIDs: requestIDs)
        }

        static func failed(
            _ category: String,
            code: String? = nil,
            effect: String = "none",
            requests: Int = 1,
            requestIDs: Int = 1
        ) -> Expected {
            Expected(
                outcome: "failed",
                effect: effect,
                category: category,
                code: code,
                requests: requests,
                requestIDs: requestIDs
            )
        }
    }

    let name: String
    let troubles: [Trouble]
    /// nil where the row says nothing about this kind.
    let grant: Expected?
    let revoke: Expected?
    let query: Expected?
    /// Whether the customer has what a grant gives, or lacks what a revoke takes, before the command comes.
    var isDoneBefore = false
    /// The least time between the first two requests, in seconds.
    var wait = 0.0

    init(_ name: String, _ troubles: Trouble..., grant: Expected?, revoke: Expected?, query: Expected?) {
        self.name = name
        self.troubles = troubles
        self.grant = grant
        self.revoke = revoke
        self.query = query
    }

    /// The same for all kinds.
    init(_ name: String, _ troubles: Trouble..., all expected: Expected) {
        self.name = name
        self.troubles = troubles
        (grant, revoke, query) = (expected, expected, expected)
    }

    /// Something that passes: the command is carried out by a second request.
    init(_ name: String, passes troubles: Trouble..., requestIDs: Int = 1, wait: Double = 0) {
        self.name = name
        self.troubles = troubles
        let requests = troubles.count { $0.place == .api } + 1
        grant = .did("granted", requests: requests, requestIDs: requestIDs)
        revoke = .did("revoked", requests: requests, requestIDs: requestIDs)
        query = .did("read", requests: requests, requestIDs: requestIDs)
        self.wait = wait
    }

    /// Something that does not pass: both attempts fail, and whether a write took effect is not known.
    init(_ name: String, persists trouble: Trouble, _ category: String, code: String? = nil) {
        self.name = name
        troubles = [trouble]
        grant = .failed(category, code: code, effect: "unknown", requests: 2)
        revoke = grant
        query = .failed(category, code: code, requests: 2)
    }

    /// What only a customer's tenant says, and so only a query meets.
    init(_ name: String, atCustomer troubles: Trouble..., query expected: Expected) {
        self.name = name
        self.troubles = troubles
        (grant, revoke, query) = (nil, nil, expected)
    }

    func before() -> ClassificationRow {
        var row = self
        row.isDoneBefore = true
        return row
    }
}
