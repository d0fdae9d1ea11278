import ConsentContract
package import JSON
import MicrosoftAPI
import Resilience

extension StatusSnapshot {
    /// As the page reads it.
    package var json: JSONValue {
        [
            "pod": .string(pod),
            "version": .string(version),
            "time": .string(time.description),
            "uptimeMs": JSONValue(uptime.milliseconds),
            "ready": .bool(isReady),
            "reasons": .array(reasons.map { .string($0) }),
            "problems": .array(problems.map(\.json)),
            "applications": .array(applications.map(\.json)),
            "queues": .array(queues.map { ["name": .string($0.name), "messages": JSONValue($0.messages)] }),
            "pods": .array(
                pods.map {
                    [
                        "name": .string($0.name), "isThisOne": .bool($0.isThisOne),
                        "owns": .array($0.owns.map { .string($0.description) }),
                    ]
                }
            ),
            "breakers": .array(breakers.map { ["title": .string($0.title), "isOpen": .bool($0.isOpen)] }),
            "failures": .array(failures.map(\.json)),
        ]
    }
}

extension StatusSnapshot.Application {
    fileprivate var json: JSONValue {
        [
            "applicationId": .string(applicationID.description),
            "ordering": .string(ordering.rawValue),
            "role": .string(role.rawValue),
            "paused": .bool(isPaused),
            "owner": JSONValue(owner),
            "waiting": JSONValue(waiting),
            "remainingMs": JSONValue(remaining?.milliseconds),
            "inHand": JSONValue(inHand),
            "lanes": JSONValue(lanes),
            "prefetch": JSONValue(prefetch),
            "apis": .array(API.allCases.map { apis[$0].json($0) }),
            "lastMinute": [
                "outcomes": outcomes.json,
                "meanMs": [
                    "queue": JSONValue(times.queue), "limit": JSONValue(times.limit), "api": JSONValue(times.api),
                    "retry": JSONValue(times.retry),
                ],
            ],
            "total": total.json,
        ]
    }
}

extension StatusSnapshot.Use {
    fileprivate func json(_ api: API) -> JSONValue {
        [
            "api": .string(api.rawValue),
            "limit": limit.map {
                ["requests": JSONValue($0.requests), "perMs": JSONValue($0.window.milliseconds)]
            } ?? .null,
            "sent": .array(sent.map { JSONValue($0) }),
            "inFlight": JSONValue(inFlight),
            "pausedMs": JSONValue(pause?.milliseconds),
            "throttled": JSONValue(throttled),
            "failedRequests": JSONValue(failedRequests),
        ]
    }
}

extension OutcomeCounts {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        for outcome in Outcome.allCases { object.append(outcome.rawValue, JSONValue(self[outcome])) }
        return .object(object)
    }
}

extension StatusSnapshot.Failure {
    fileprivate var json: JSONValue {
        [
            "time": .string(time.description),
            "command": JSONValue(command?.rawValue),
            "applicationId": JSONValue(applicationID?.description),
            "customerId": JSONValue(customerID?.description),
            "correlationId": JSONValue(correlationID),
            "outcome": .string(outcome.rawValue),
            "category": .string(category.rawValue),
            "message": .string(message),
            "remedy": .string(category.remedy),
            "fixableBy": .string(category.fixableBy.rawValue),
            "status": JSONValue(status),
            "code": JSONValue(code),
        ]
    }
}

extension StatusSnapshot.Problem {
    fileprivate var json: JSONValue {
        ["severity": .string(severity.rawValue), "text": .string(text), "remedy": .string(remedy)]
    }
}
