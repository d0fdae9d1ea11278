import ConsentContract
import HTTP
import Resilience
import Tracing

extension CommandTrace {
    typealias Instant = DefaultTracerClock.Timestamp

    /// The time of a command's spans: the time of day when it came, and from then on the clock that is never set.
    struct Time: Sendable {
        let received: Instant
        private let receivedAt: ContinuousClock.Instant
        private let clock: any MonotonicClock

        init(_ received: Timestamp, at receivedAt: ContinuousClock.Instant, _ clock: any MonotonicClock) {
            self.received = Instant(nanosecondsSinceEpoch: UInt64(max(0, received.milliseconds)) * 1_000_000)
            self.receivedAt = receivedAt
            self.clock = clock
        }

        var now: Instant {
            let (seconds, attoseconds) = (clock.now - receivedAt).components
            let elapsed = UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
            return Instant(nanosecondsSinceEpoch: received.nanosecondsSinceEpoch + elapsed)
        }
    }

    /// A part of a command's way. Ends once.
    struct Step: Sendable {
        let span: any Span
        let time: Time

        func set(_ name: String, _ value: some SpanAttributeConvertible) { span.attributes[name] = value }

        func end() { span.end(at: time.now) }

        func end(_ answer: Result<HTTPResponse, HTTPError>) {
            switch answer {
            case .success(let response):
                set("http.response.status_code", response.status)
                if response.status >= 400 { fail("\(response.status)") }
            case .failure(let error): fail("\(error.code)")
            }
            end()
        }

        private func fail(_ type: String) {
            set("error.type", type)
            span.setStatus(SpanStatus(code: .error))
        }
    }
}
