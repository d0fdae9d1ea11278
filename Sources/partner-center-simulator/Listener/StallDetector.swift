import NIOConcurrencyHelpers
import NIOCore

/// Notes every time the event loop that stamps arrivals stood still.
///
/// While the loop stands still, requests wait unread and their stamps come late and close together: a run with a stall
/// proves nothing about a rate limit. The detector has to tick, since what it watches for is the absence of events.
final class StallDetector: Sendable {
    struct Stall: Codable, Equatable, Sendable {
        var atNs: Int
        var durationMs: Double
    }

    static let tickMilliseconds = 5
    static let thresholdMilliseconds = 20.0

    private struct State {
        var lastTick: MonotonicTime?
        var stalls: [Stall] = []
    }

    private let state = NIOLockedValueBox(State())

    /// Begins to tick on `eventLoop`, and goes on until the process ends.
    func watch(_ eventLoop: any EventLoop) {
        let interval = TimeAmount.milliseconds(Int64(Self.tickMilliseconds))
        eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: interval) { _ in
            self.tick(at: .now())
        }
    }

    /// Judges the whole gap between two ticks, though the tick's own interval is part of it: a stall is rather called
    /// 5 ms too long than missed.
    func tick(at time: MonotonicTime) {
        state.withLockedValue { state in
            defer { state.lastTick = time }
            guard let last = state.lastTick else { return }
            let gap = time.milliseconds(since: last)
            if gap > Self.thresholdMilliseconds {
                state.stalls.append(Stall(atNs: last.nanoseconds, durationMs: gap))
            }
        }
    }

    func stalls(from start: MonotonicTime? = nil, through end: MonotonicTime? = nil) -> [Stall] {
        state.withLockedValue { $0.stalls }.filter { stall in
            let stallEnd = stall.atNs + Int(stall.durationMs * 1_000_000)
            return stallEnd >= start?.nanoseconds ?? .min && stall.atNs <= end?.nanoseconds ?? .max
        }
    }

    func forget() {
        state.withLockedValue { $0.stalls = [] }
    }
}
