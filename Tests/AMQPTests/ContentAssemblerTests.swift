import AMQP
import Testing

@Suite("Content assembler", .timeLimit(.minutes(1)))
struct ContentAssemblerTests {
    private let deliver = Method.Deliver(
        consumerTag: "c",
        tag: 7,
        redelivered: true,
        exchange: "e",
        routingKey: "k"
    )

    private func assembler(maximum: UInt64 = 16) throws -> ContentAssembler {
        var assembler = ContentAssembler(maximumBodyBytes: maximum)
        try assembler.begin(.delivery(deliver))
        return assembler
    }

    @Test("puts body frames together in their order, and then begins anew")
    func frames() throws {
        var assembler = try assembler()
        var properties = AMQPProperties()
        properties.messageID = "m"
        #expect(try assembler.header(bodySize: 5, properties)?.body == nil)
        #expect(try assembler.body([1, 2])?.body == nil)
        #expect(try assembler.body([])?.body == nil)
        let message = try #require(try assembler.body([3, 4, 5]))
        #expect(message.body == .complete([1, 2, 3, 4, 5]))
        #expect(message.properties.messageID == "m")
        guard case .delivery(let deliver) = message.content else {
            Issue.record("not a delivery")
            return
        }
        #expect(deliver.tag == 7)
        try assembler.expectNoContent()
        try assembler.begin(.got(deliver))
        #expect(try assembler.header(bodySize: 1, AMQPProperties())?.body == nil)
        #expect(try assembler.body([9])?.body == .complete([9]))
    }

    @Test("a message without body is complete with its header")
    func empty() throws {
        var assembler = try assembler()
        #expect(try assembler.header(bodySize: 0, AMQPProperties())?.body == .complete([]))
        try assembler.expectNoContent()
    }

    @Test("a body of the largest size is kept, a larger one is counted and dropped")
    func bounds() throws {
        var kept = try assembler(maximum: 4)
        #expect(try kept.header(bodySize: 4, AMQPProperties())?.body == nil)
        #expect(try kept.body([1, 2, 3, 4])?.body == .complete([1, 2, 3, 4]))
        var dropped = try assembler(maximum: 4)
        #expect(try dropped.header(bodySize: 5, AMQPProperties())?.body == nil)
        #expect(try dropped.body([1, 2])?.body == nil)
        #expect(try dropped.body([3, 4, 5])?.body == .tooLarge(bytes: 5))
        try dropped.expectNoContent()
    }

    @Test("an absurd size costs no memory")
    func absurdSize() throws {
        var assembler = try assembler()
        #expect(try assembler.header(bodySize: .max, AMQPProperties())?.body == nil)
        #expect(try assembler.body([1])?.body == nil)
    }

    private func expectViolation(_ body: () throws -> Void) {
        let error = #expect(throws: AMQPError.self) { try body() }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a body longer than its header says breaks the protocol", arguments: [2, 100] as [UInt64])
    func tooLong(maximum: UInt64) throws {
        var assembler = try assembler(maximum: maximum)
        _ = try assembler.header(bodySize: 3, AMQPProperties())
        _ = try assembler.body([1])
        expectViolation { _ = try assembler.body([2, 3, 4]) }
    }

    @Test("frames out of order break the protocol")
    func disorder() throws {
        var idle = ContentAssembler(maximumBodyBytes: 16)
        expectViolation { _ = try idle.header(bodySize: 1, AMQPProperties()) }
        expectViolation { _ = try idle.body([1]) }
        try idle.expectNoContent()

        var begun = try assembler()
        expectViolation { try begun.begin(.delivery(deliver)) }
        expectViolation { _ = try begun.body([1]) }
        expectViolation { try begun.expectNoContent() }

        var inBody = try assembler()
        _ = try inBody.header(bodySize: 2, AMQPProperties())
        expectViolation { _ = try inBody.header(bodySize: 2, AMQPProperties()) }
        expectViolation { try inBody.begin(.got(deliver)) }
        expectViolation { try inBody.expectNoContent() }

        var done = try assembler()
        _ = try done.header(bodySize: 1, AMQPProperties())
        _ = try done.body([1])
        expectViolation { _ = try done.body([]) }
    }
}
