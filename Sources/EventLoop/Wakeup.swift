import Glibc

/// A pipe that makes a waiting thread return from `poll`: writing end for every thread, reading end for the loop.
struct Wakeup: ~Copyable, Sendable {
    let descriptor: CInt
    private let writing: CInt

    init() {
        var ends: [CInt] = [-1, -1]
        precondition(pipe(&ends) == 0, "no descriptors left for an event loop: errno \(errno)")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        descriptor = ends[0]
        writing = ends[1]
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    /// Once before each ``clear()``.
    func signal() {
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }

    func wait() {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, -1)
    }

    func clear() {
        var byte: UInt8 = 0
        _ = read(descriptor, &byte, 1)
    }
}
