import AMQP
import ConsentContract
import JSON
import MicrosoftAPI
import Resilience

/// What pods tell each other over `consent.control`. Unreadable ones are passed over: a newer version may say more.
enum ControlMessage: Sendable, Hashable {
    /// A pod has come: the others answer with their presence.
    case hello
    case presence(Presence)
    /// The API asked for a pause of one application.
    case pause(Pause)
    /// An operator has paused or resumed an application: look.
    case operatorPause(GUID)
    /// Somebody wants to know what every pod does, told to a queue of theirs.
    case status(replyTo: String)
    case goodbye

    struct Presence: Sendable, Hashable {
        var owns: [GUID]
        var pauses: [Pause]
    }

    struct Pause: Sendable, Hashable {
        var api: API
        var applicationID: GUID
        /// From now: pods' wall clocks differ.
        var remaining: Duration
    }
}

extension ControlMessage {
    init?(_ json: JSONValue) {
        switch json["type"]?.string {
        case "hello": self = .hello
        case "goodbye": self = .goodbye
        case "pause":
            guard let pause = Pause(json) else { return nil }
            self = .pause(pause)
        case "operator-pause":
            guard let application = json["application"]?.string.flatMap({ GUID($0) }) else { return nil }
            self = .operatorPause(application)
        case "status":
            // No other queue: whoever may speak here must not make pods write elsewhere.
            guard let queue = json["replyTo"]?.string, queue.hasPrefix("\(Topology.Name.status).") else { return nil }
            self = .status(replyTo: queue)
        case "presence":
            self = .presence(
                Presence(
                    owns: (json["owns"]?.array ?? []).compactMap { $0.string.flatMap { GUID($0) } },
                    pauses: (json["pauses"]?.array ?? []).compactMap { Pause($0) }
                )
            )
        default: return nil
        }
    }

    func message(from pod: String) -> AMQPMessage {
        var object = JSONObject()
        object.append("pod", .string(pod))
        switch self {
        case .hello: object.append("type", "hello")
        case .goodbye: object.append("type", "goodbye")
        case .pause(let pause):
            object.append("type", "pause")
            for member in pause.members { object.append(member.name, member.value) }
        case .operatorPause(let application):
            object.append("type", "operator-pause")
            object.append("application", .string(application.description))
        case .status(let queue):
            object.append("type", "status")
            object.append("replyTo", .string(queue))
        case .presence(let presence):
            object.append("type", "presence")
            object.append("owns", .array(presence.owns.map { .string($0.description) }))
            object.append(
                "pauses",
                .array(presence.pauses.map { .object(JSONObject(members: $0.members)) })
            )
        }
        var properties = AMQPProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 1
        return AMQPMessage(
            exchange: Topology.Name.control,
            routingKey: "",
            mandatory: false,
            properties: properties,
            body: JSONValue.object(object).bytes
        )
    }
}

extension ControlMessage.Pause {
    /// What a pod believes at most of another's word: a notice must not stop an application for good.
    static let longest = Duration.seconds(3600)

    fileprivate init?(_ json: JSONValue) {
        guard let api = json["api"]?.string.flatMap({ API(rawValue: $0) }),
            let applicationID = json["application"]?.string.flatMap({ GUID($0) }),
            let milliseconds = json["remainingMs"]?.int, milliseconds > 0
        else { return nil }
        self.init(
            api: api,
            applicationID: applicationID,
            remaining: min(.milliseconds(milliseconds), Self.longest)
        )
    }

    fileprivate var members: [JSONObject.Member] {
        [
            .init(name: "api", value: .string(api.rawValue)),
            .init(name: "application", value: .string(applicationID.description)),
            .init(name: "remainingMs", value: .number(JSONNumber(remaining.milliseconds))),
        ]
    }
}
