package import ConsentContract
package import Resilience

/// Whether a restart would help: a thread that does not turn, a command that neither ends nor goes back.
package struct Liveness: Sendable {
    /// A thread that has not turned for this long is stuck.
    package static let stall = Duration.seconds(3)

    /// Calls one of the worker's threads.
    package struct Probe: Sendable {
        package let name: String
        /// Returns as soon as the thread has a turn.
        package let ping: @Sendable () async -> Void

        package init(_ name: String, _ ping: @escaping @Sendable () async -> Void) {
            self.name = name
            self.ping = ping
        }
    }

    package struct Finding: Sendable, Hashable {
        package var stalled: [String] = []
        package var stuck: [GUID] = []

        package var isLive: Bool { stalled.isEmpty && stuck.isEmpty }
    }

    let probes: [Probe]
    private let stuck: @Sendable () async -> [GUID]
    private let clock: any MonotonicClock

    /// - Parameter stuck: the applications with such a command; asked only while all threads turn, which it may need.
    package init(
        probes: [Probe],
        clock: any MonotonicClock = SystemClock(),
        stuck: @escaping @Sendable () async -> [GUID]
    ) {
        self.probes = probes
        self.clock = clock
        self.stuck = stuck
    }

    package func look() async -> Finding {
        var finding = Finding()
        for probe in probes where await !turns(probe.ping) { finding.stalled.append(probe.name) }
        if finding.stalled.isEmpty { finding.stuck = await stuck() }
        return finding
    }

    /// Tasks of their own: nobody can wait for one that hangs on a stuck thread.
    private func turns(_ ping: @escaping @Sendable () async -> Void) async -> Bool {
        let answer = OneShot<Bool>()
        Task {
            await ping()
            answer.resolve(true)
        }
        let timer = Task { [clock] in
            try await clock.sleep(for: Self.stall)
            answer.resolve(false)
        }
        defer { timer.cancel() }
        return await answer.wait()
    }
}
