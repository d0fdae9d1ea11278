import ConsentContract
import ConsentWorker
import JSON
import MicrosoftAPI
import Resilience

extension FleetReport {
    /// - Parameter categories: nil where they were not counted.
    func json(_ categories: [String: Int]?) -> JSONValue {
        let byCategory = categories.map { categories in
            JSONValue.object(
                JSONObject(
                    members: categories.sorted { $0.key < $1.key }.map {
                        .init(name: $0.key, value: JSONValue($0.value))
                    }
                )
            )
        }
        return [
            "time": .string(time.description),
            "applications": .array(applications.map(\.json)),
            "deadLetters": ["total": JSONValue(deadLetters), "byCategory": byCategory ?? .null],
            "unclaimedEvents": JSONValue(unclaimed),
            "unroutableCommands": JSONValue(unroutable),
            "workers": .array(pods),
            "silentWorkers": .array(silent.map { .string($0) }),
        ]
    }
}

extension FleetReport.Application {
    fileprivate var json: JSONValue {
        var counts = JSONObject()
        for outcome in Outcome.allCases { counts.append(outcome.rawValue, JSONValue(outcomes[outcome] ?? 0)) }
        return [
            "applicationId": .string(applicationID.description),
            "ordering": .string(ordering.rawValue),
            "owner": JSONValue(owner),
            "paused": .bool(isPaused),
            "waiting": JSONValue(waiting),
            "inHand": JSONValue(inHand),
            "remainingMs": JSONValue(remaining?.milliseconds),
            "lastMinute": .object(counts),
            "permits": .array(
                permits.map {
                    [
                        "api": .string($0.api.rawValue), "limit": JSONValue($0.limit), "ready": JSONValue($0.ready),
                        "resting": JSONValue($0.resting),
                    ]
                }
            ),
        ]
    }
}
