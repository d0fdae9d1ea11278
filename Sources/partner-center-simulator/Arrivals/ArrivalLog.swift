import HTTPTypes
import NIOConcurrencyHelpers

/// Every API request of the run, in the order in which they were handled.
final class ArrivalLog: Sendable {
    private struct State {
        var arrivals: [Arrival] = []
        /// How many were forgotten: numbers go on, so that `since` stays meaningful.
        var forgotten = 0
        /// One copy of each text that many arrivals share, so that an arrival takes little memory.
        var texts: Set<String> = []

        mutating func shared(_ text: String?) -> String? {
            guard let text else { return nil }
            return texts.insert(text).memberAfterInsert
        }
    }

    private let state = NIOLockedValueBox(State())

    /// Notes a request; the number is needed to complete it.
    func begin(_ call: APICall, subject: Subject, admitted: Bool) -> Int {
        state.withLockedValue { state in
            let number = state.forgotten + state.arrivals.count + 1
            state.arrivals.append(
                Arrival(
                    n: number,
                    atNs: call.arrivedAt.nanoseconds,
                    kind: call.kind,
                    application: state.shared(subject.application),
                    customer: state.shared(subject.customer),
                    tenant: state.shared(subject.tenant),
                    partner: state.shared(subject.partner),
                    requestId: subject.requestID,
                    correlationId: subject.correlationID,
                    traceparent: call.headers[.traceparent],
                    tracestate: call.headers[.tracestate],
                    method: call.method.rawValue,
                    path: state.shared(call.path) ?? call.path,
                    admitted: admitted,
                    clientAuthentication: subject.clientAuthentication
                )
            )
            return number
        }
    }

    func complete(_ number: Int, with outcome: Outcome, faults: [String]) {
        state.withLockedValue { state in
            let index = number - state.forgotten - 1
            // Forgotten while it ran.
            guard state.arrivals.indices.contains(index) else { return }
            state.arrivals[index].status = outcome.answer.visibleStatus
            state.arrivals[index].effect = outcome.effect
            state.arrivals[index].repeat = outcome.isRepeat
            state.arrivals[index].fault = faults.isEmpty ? nil : faults.joined(separator: ",")
        }
    }

    /// The arrivals whose number is above `number`, at most `limit`.
    func arrivals(after number: Int = 0, limit: Int = .max) -> [Arrival] {
        state.withLockedValue { state in
            let skipped = max(0, number - state.forgotten)
            return Array(state.arrivals.dropFirst(skipped).prefix(limit))
        }
    }

    func forget() {
        state.withLockedValue { state in
            state.forgotten += state.arrivals.count
            state.arrivals = []
            state.texts = []
        }
    }
}
