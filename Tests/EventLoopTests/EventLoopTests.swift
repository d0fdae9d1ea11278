import EventLoop
import Glibc
import NIOConcurrencyHelpers
import TestSupport
import Testing

/// An actor on an event loop that waits on nothing but the wake-up, as the AMQP and HTTP clients do on more.
private actor Source: EventSource {
    nonisolated let loop: EventLoop
    nonisolated let turns = EventLog<Bool>()
    private var entries: [Int] = []
    private var turnsSeen = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated func turn(wakeup: CInt, mayWait: Bool) {
        assumeIsolated { $0.turnsSeen += 1 }
        turns.append(loop.isCurrent)
        guard mayWait else { return }
        var entry = pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, -1)
    }

    func append(_ entry: Int) -> Bool {
        entries.append(entry)
        return loop.isCurrent
    }

    func all() -> [Int] { entries }

    func seen() -> Int { turnsSeen }
}

@Suite("Event loop", .timeLimit(.minutes(1)))
struct EventLoopTests {
    @Test("runs an actor's jobs on its own thread only")
    func ownThread() async {
        let loop = EventLoop(name: "test")
        let source = Source(loop)
        #expect(!loop.isCurrent)
        for entry in 0..<100 { #expect(await source.append(entry)) }
        #expect(!loop.isCurrent)
        loop.stop()
    }

    @Test("keeps the order of jobs from one task")
    func order() async {
        let loop = EventLoop(name: "test")
        let source = Source(loop)
        let tasks = (0..<1000).map { entry in Task.immediate { await source.append(entry) } }
        for task in tasks { #expect(await task.value) }
        #expect(await source.all() == Array(0..<1000))
        loop.stop()
    }

    @Test("loses no job of many threads, with and without a source", arguments: [false, true])
    func manyThreads(attached: Bool) async {
        let loop = EventLoop(name: "test")
        let source = Source(loop)
        if attached { loop.attach(source) }
        await withTaskGroup { group in
            for task in 0..<50 {
                group.addTask { for step in 0..<40 { _ = await source.append(task * 40 + step) } }
            }
        }
        #expect(await source.all().sorted() == Array(0..<2000))
        loop.attach(nil)
        loop.stop()
    }

    @Test("gives its source a turn, isolated on its thread, when it is attached and when it is woken")
    func turns() async {
        let loop = EventLoop(name: "test")
        let source = Source(loop)
        loop.attach(source)
        await source.turns.when(1)
        let before = source.turns.events.count
        loop.wake()
        await source.turns.when(before + 1)
        #expect(!source.turns.events.contains(false))
        #expect(await source.seen() > 0)
        loop.attach(nil)
        loop.stop()
    }

    @Test("turns to a source that comes just when it lies down to wait")
    func attachedBetween() async {
        for _ in 0..<500 {
            let loop = EventLoop(name: "test")
            let source = Source(loop)
            loop.attach(source)
            await source.turns.when(1)
            loop.attach(nil)
            loop.stop()
        }
    }

    @Test("runs jobs while its source waits for the wake-up only")
    func jobsWhileWaiting() async {
        let loop = EventLoop(name: "test")
        let source = Source(loop)
        loop.attach(source)
        for entry in 0..<200 {
            await source.turns.when(1)
            #expect(await source.append(entry))
        }
        loop.attach(nil)
        loop.stop()
    }

    @Test("runs what was queued before the stop, and ends its thread")
    func stop() async {
        let loop = EventLoop(name: "test")
        let source = Source(loop)
        let ended = EventLog<Void>()
        loop.attach(Ending(ended))
        let tasks = (0..<100).map { entry in Task.immediate { await source.append(entry) } }
        loop.stop()
        for task in tasks { #expect(await task.value) }
        loop.attach(nil)
        // The thread held the loop, the loop its source.
        await ended.when(1)
    }

    /// Tells when it is gone.
    private final class Ending: EventSource {
        private let ended: EventLog<Void>

        init(_ ended: EventLog<Void>) { self.ended = ended }

        deinit { ended.append(()) }

        func turn(wakeup: CInt, mayWait: Bool) {
            guard mayWait else { return }
            var entry = pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, -1)
        }
    }

    @Test("a loop that was stopped is let go of by its thread")
    func released() async {
        let ended = EventLog<Void>()
        do {
            let loop = EventLoop(name: "test")
            loop.attach(Ending(ended))
            loop.stop()
        }
        await ended.when(1)
    }
}
