import NIOConcurrencyHelpers

/// Ports below those that the kernel hands out by itself. None is handed out twice while others are left: tests run at
/// the same time, and a port is free until its process listens.
final class LoopbackPorts: Sendable {
    /// Each stands for three, as a node takes them.
    static let brokers = LoopbackPorts(12_000..<12_700)
    static let probes = LoopbackPorts(13_000..<14_000)

    private let range: Range<Int>
    private let left = NIOLockedValueBox<[Int]>([])

    private init(_ range: Range<Int>) { self.range = range }

    func take() throws -> Int {
        try left.withLockedValue { left in
            for _ in range {
                if left.isEmpty { left = range.shuffled() }
                let port = left.removeLast()
                if PrivateBroker.areFree(port) { return port }
            }
            throw TestFailure("no free port in \(range)")
        }
    }
}
