import Glibc
import NIOConcurrencyHelpers

/// A dedicated thread that is an actor's executor and waits on the descriptors of one ``EventSource``.
///
/// C libraries that allow one thread a handle (librabbitmq, libcurl) are confined by making the actor that owns the
/// handle run here. Nothing polls: the thread sleeps in its source's wait until a descriptor or the wake-up is ready.
///
/// Also an executor that tasks may prefer. A continuation always resumes on the task's executor, and only then goes on
/// to its actor: with the global one that is a hop to another thread and back for every wait.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var source: (any EventSource)?
        var stopping = false
        /// The thread sleeps, or is about to look once more before it does.
        var isWaiting = false
        /// A byte is in the wake-up's pipe.
        var isSignalled = false
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

    /// Makes a waiting loop take another turn. A loop that is at work takes one anyway, before it waits: then, and when
    /// somebody else has woken it, this is no system call.
    package func wake() { state.withLockedValue { signal(&$0) } }

    private func signal(_ state: inout State) {
        guard state.isWaiting, !state.isSignalled else { return }
        state.isSignalled = true
        wakeup.signal()
    }

    /// Ends the thread once the jobs already queued have run; later jobs are never run. Does not wait.
    package func stop() {
        state.withLockedValue { $0.stopping = true }
        wake()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLockedValue { state in
            state.jobs.append(job)
            signal(&state)
        }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        UnownedTaskExecutor(ordinary: self)
    }

    package func checkIsolated() {
        precondition(isCurrent, "called off the event loop \(name)")
    }

    private func run() {
        var jobs: [UnownedJob] = []
        while true {
            let stopping = state.withLockedValue { state in
                // Two arrays take turns, so that none is made anew for each turn.
                swap(&jobs, &state.jobs)
                return state.stopping
            }
            for job in jobs {
                job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
            if stopping && jobs.isEmpty { return }
            jobs.removeAll(keepingCapacity: true)
            // From here on somebody who brings something wakes the loop: what it waits on is read no earlier, and the
            // source looks at its own queue later.
            let (source, mayWait) = state.withLockedValue { state in
                state.isWaiting = state.jobs.isEmpty && !state.stopping
                return (state.source, state.isWaiting)
            }
            if let source {
                source.turn(wakeup: wakeup.descriptor, mayWait: mayWait)
            } else if mayWait {
                wakeup.wait()
            }
            state.withLockedValue { state in
                state.isWaiting = false
                if state.isSignalled { wakeup.clear() }
                state.isSignalled = false
            }
        }
    }
}
