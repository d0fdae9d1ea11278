import AMQP
import Testing

@Suite("Outbox", .timeLimit(.minutes(1)))
struct OutboxTests {
    private func entry(_ tag: UInt64) -> Outbox.Entry {
        Outbox.Entry(channel: 1, channelID: 1, operation: .ack(tag))
    }

    private func tags(_ entries: [Outbox.Entry]) -> [UInt64] {
        entries.compactMap { if case .ack(let tag) = $0.operation { tag } else { nil } }
    }

    @Test("only the first entry asks for a wake-up, until the entries were taken")
    func wakeUps() {
        let outbox = Outbox()
        #expect(outbox.isEmpty)
        #expect(outbox.append(entry(1)) == .first)
        #expect(outbox.append(entry(2)) == .further)
        #expect(!outbox.isEmpty)
        #expect(tags(outbox.take()) == [1, 2])
        #expect(outbox.take().isEmpty)
        #expect(outbox.append(entry(3)) == .first)
    }

    @Test("a closed outbox gives back what was not sent and refuses the rest")
    func close() {
        let outbox = Outbox()
        _ = outbox.append(entry(1))
        #expect(tags(outbox.close()) == [1])
        #expect(outbox.append(entry(2)) == .refused)
        #expect(outbox.isEmpty)
        #expect(outbox.close().isEmpty)
    }

    @Test("loses and repeats nothing between many writers and a reader")
    func manyWriters() async {
        let outbox = Outbox()
        let firsts = await withTaskGroup { group in
            for task in 0..<20 {
                group.addTask {
                    (0..<100).count { outbox.append(entry(UInt64(task * 100 + $0))) == .first }
                }
            }
            var taken: [UInt64] = []
            var firsts = 0
            for await count in group {
                firsts += count
                taken += tags(outbox.take())
            }
            taken += tags(outbox.take())
            #expect(taken.sorted() == Array(0..<2000))
            for task in 0..<20 as Range<UInt64> {
                let own = taken.filter { $0 / 100 == task }
                #expect(own == own.sorted())
            }
            return firsts
        }
        #expect(firsts >= 1)
    }
}
