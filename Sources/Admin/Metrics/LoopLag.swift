import Metrics
import Resilience

/// Calls each thread once a second and counts how long it took to have a turn.
struct LoopLag: Sendable {
    private static let interval = Duration.seconds(1)

    let probes: [Liveness.Probe]
    let clock: any MonotonicClock

    /// Runs until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for probe in probes {
                let timer = Timer(label: "consent_event_loop_lag_seconds", dimensions: [("loop", probe.name)])
                group.addTask { [clock] in
                    while (try? await clock.sleep(for: Self.interval)) != nil {
                        let called = clock.now
                        // A task of its own: nobody can wait for one that hangs on a thread that has ended.
                        let answer = OneShot<Bool>()
                        Task {
                            await probe.ping()
                            answer.resolve(true)
                        }
                        guard await answer.wait(orWhenCancelled: false) else { return }
                        timer.record(duration: clock.now - called)
                    }
                }
            }
        }
    }
}
