import Glibc
import NIOConcurrencyHelpers

/// A dedicated thread that is an actor's executor and waits on the descriptors of one ``EventSource``.
///
/// C libraries that allow one thread a handle (librabbitmq, libcurl) are confined by making the actor that owns the
/// handle run here. Nothing polls: the thread sleeps in its source's wait until a descriptor or the wake-up is ready.
package final class EventLoop: SerialExecutor, @unchecked Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var source: (any EventSource)?
        var stopping = false
    }

    package let name: String
    private let state = NIOLockedValueBox(State())
    private let wakeup: Wakeup
    private let thread: LoopThread

    /// Starts the thread. It ends with ``stop()``.
    package init(name: String) {
        self.name = name
        self.wakeup = Wakeup()
        self.thread = LoopThread()
        self.thread.start { [self] in self.run() }
    }

    /// True on the loop's own thread.
    package var isCurrent: Bool { thread.isCurrent }

    /// Attaches what the loop waits on between jobs, or detaches it with nil. At most one at a time.
    package func attach(_ source: (any EventSource)?) {
        state.withLockedValue { $0.source = source }
        wake()
    }

    /// Makes a waiting loop take another turn; no system call when called on the loop itself.
    package func wake() {
        if !isCurrent { wakeup.signal() }
    }

    /// Ends the thread once the jobs already queued have run; later jobs are never run. Does not wait.
    package func stop() {
        state.withLockedValue { $0.stopping = true }
        wake()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wasEmpty = state.withLockedValue { state in
            state.jobs.append(job)
            return state.jobs.count == 1
        }
        if wasEmpty { wake() }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    package func checkIsolated() {
        precondition(isCurrent, "called off the event loop \(name)")
    }

    private func run() {
        while true {
            let (jobs, source, stopping) = state.withLockedValue { state in
                defer { state.jobs = [] }
                return (state.jobs, state.source, state.stopping)
            }
            for job in jobs {
                job.runSynchronously(on: asUnownedSerialExecutor())
            }
            if stopping && jobs.isEmpty { return }
            let idle = state.withLockedValue { $0.jobs.isEmpty && !$0.stopping }
            if let source {
                source.turn(wakeup: wakeup.descriptor, mayWait: idle)
            } else if idle {
                wakeup.wait()
            }
            wakeup.clear()
        }
    }
}
