import Testing

@testable import AMQP

@Suite("Channel state", .timeLimit(.minutes(1)))
struct ChannelStateTests {
    private func channel(prefetch: UInt16...) -> ChannelState {
        let channel = ChannelState(id: 1, maximumBodyBytes: 100)
        for prefetch in prefetch {
            channel.prefetch = prefetch
            channel.consumerStarted()
        }
        return channel
    }

    @Test("a broker that goes far beyond the prefetch breaks the protocol")
    func beyond() throws {
        let channel = channel(prefetch: 100, 50)
        for _ in 0..<316 { try channel.delivered() }
        let error = #expect(throws: AMQPError.self) { try channel.delivered() }
        #expect(error?.code == .protocolViolation)
    }

    @Test("what is settled makes room")
    func settled() throws {
        let channel = channel(prefetch: 10)
        for _ in 0..<1000 {
            try channel.delivered()
            channel.settled()
        }
        // One too many, as after a get, is not saved up.
        for _ in 0..<100 { channel.settled() }
        for _ in 0..<36 { try channel.delivered() }
        #expect(throws: AMQPError.self) { try channel.delivered() }
    }

    @Test("without a prefetch there is no limit", arguments: [[0], [10, 0]] as [[UInt16]])
    func unlimited(prefetch: [UInt16]) throws {
        let channel = ChannelState(id: 1, maximumBodyBytes: 100)
        for prefetch in prefetch {
            channel.prefetch = prefetch
            channel.consumerStarted()
        }
        for _ in 0..<10_000 { try channel.delivered() }
    }
}
