import HTTPTypes
import HummingbirdCore
import NIOCore

/// `/_sim/…`: what a test asks and sets. Not part of any simulated API, and not subject to limits or faults.
struct ControlRoute: Sendable {
    let arrivals: ArrivalLog
    let limits: RateLimits
    let faults: FaultInjector
    let tokens: TokenStore
    let consents: ConsentStore
    let graph: GraphStore
    let stalls: StallDetector

    /// What the simulator says when it does not understand a control request.
    struct Problem: Error {
        var status = 400
        var message: String
    }

    struct Call {
        var method: HTTPRequest.Method
        /// The path's segments after `_sim`.
        var path: [Substring]
        var query: FormFields
        var body: ByteBuffer

        func decode<Value: Decodable>(_ type: Value.Type) throws(Problem) -> Value {
            do {
                return try JSONText.decode(type, from: body.readableBytesView)
            } catch {
                throw Problem(message: JSONText.explain(error))
            }
        }

        func number(_ name: String) throws(Problem) -> Int? {
            guard let text = query[name] else { return nil }
            guard let number = Int(text), number >= 0 else {
                throw Problem(message: "\(name) must be a number not below 0")
            }
            return number
        }

        func guid(_ name: String) throws(Problem) -> String? {
            guard let text = query[name] else { return nil }
            guard let guid = Identifiers.normalizedGUID(text) else { throw Problem(message: "\(name) must be a GUID") }
            return guid
        }
    }

    func respond(to call: Call) -> Answer {
        do throws(Problem) {
            return try answer(call)
        } catch {
            return .json(error.status, ["error": .string(error.message)] as JSON)
        }
    }

    private func answer(_ call: Call) throws(Problem) -> Answer {
        switch (call.path.first ?? "", call.method) {
        case ("health", .get):
            return .json(200, ["status": "ok", "nowNs": .integer(MonotonicTime.now().nanoseconds)] as JSON)
        case ("arrivals", .get): return try showArrivals(call)
        case ("arrivals", .delete): return done { arrivals.forget() }
        case ("report", .get): return try report(call)
        case ("stalls", .get): return .json(200, ["stalls": stalls.stalls()])
        case ("stalls", .delete): return done { stalls.forget() }
        case ("state", .get): return try showState(call)
        case ("state", .put), ("state", .post): return try presetState(call)
        case ("state", .delete): return done { consents.reset() }
        case ("faults", .get): return .json(200, ["faults": faults.entries])
        case ("faults", .post): return try addFaults(call)
        case ("faults", .delete): return try removeFaults(call)
        case ("limits", .get): return .json(200, limits.settings)
        case ("limits", .put), ("limits", .post):
            limits.change(to: try call.decode(RateLimits.Settings.self))
            return .json(200, limits.settings)
        case ("graph", .get): return .json(200, graph.settings)
        case ("graph", .put), ("graph", .post):
            graph.change(to: try call.decode(GraphSettings.self))
            return .json(200, graph.settings)
        case ("tokens", .get): return try showTokens(call)
        case ("tokens", .delete): return done { tokens.expireAll(at: .now()) }
        default: throw Problem(status: 404, message: "There is no \(call.method.rawValue) of this path under /_sim.")
        }
    }

    func done(_ action: () -> Void) -> Answer {
        action()
        return Answer(status: 204)
    }
}
