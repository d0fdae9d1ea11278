import AMQP
import Testing

@Suite("Confirm tracker", .timeLimit(.minutes(1)))
struct ConfirmTrackerTests {
    private func message(_ key: String = "k", id: String? = nil) -> AMQPMessage {
        var properties = AMQPProperties()
        properties.messageID = id
        return AMQPMessage(exchange: "e", routingKey: key, properties: properties, body: [])
    }

    private func tracker(_ count: Int) -> ConfirmTracker<Int> {
        var tracker = ConfirmTracker<Int>()
        for number in 1..<count + 1 { tracker.published(message(), waiter: number) }
        return tracker
    }

    @Test("a single confirm settles its message only, in any order, and once")
    func single() {
        var tracker = tracker(3)
        #expect(tracker.settled(tag: 2, multiple: false)?.map(\.waiter) == [2])
        #expect(tracker.settled(tag: 2, multiple: false)?.map(\.waiter) == [])
        #expect(tracker.settled(tag: 3, multiple: false)?.map(\.waiter) == [3])
        #expect(!tracker.isEmpty)
        #expect(tracker.settled(tag: 1, multiple: false)?.map(\.waiter) == [1])
        #expect(tracker.isEmpty)
    }

    @Test("a multiple confirm settles everything up to its tag")
    func multiple() {
        var tracker = tracker(5)
        #expect(tracker.settled(tag: 2, multiple: false)?.map(\.waiter) == [2])
        #expect(tracker.settled(tag: 3, multiple: true)?.map(\.waiter) == [1, 3])
        #expect(tracker.settled(tag: 3, multiple: true)?.map(\.waiter) == [])
        #expect(tracker.settled(tag: 5, multiple: true)?.map(\.waiter) == [4, 5])
    }

    @Test("tag 0 with multiple settles everything; alone it settles nothing")
    func tagZero() {
        var tracker = tracker(3)
        #expect(tracker.settled(tag: 0, multiple: false)?.map(\.waiter) == [])
        #expect(tracker.settled(tag: 0, multiple: true)?.map(\.waiter) == [1, 2, 3])
        #expect(tracker.settled(tag: 0, multiple: true)?.map(\.waiter) == [])
    }

    @Test("a confirm of what was never published is told apart", arguments: [false, true])
    func neverPublished(multiple: Bool) {
        var tracker = tracker(2)
        #expect(tracker.settled(tag: 3, multiple: multiple) == nil)
        #expect(tracker.settled(tag: .max, multiple: multiple) == nil)
        #expect(tracker.drain() == [1, 2])
    }

    @Test("tags go on after everything was settled")
    func tagsGoOn() {
        var tracker = tracker(2)
        _ = tracker.settled(tag: 2, multiple: true)
        tracker.published(message(), waiter: 3)
        #expect(tracker.settled(tag: 3, multiple: false)?.map(\.waiter) == [3])
    }

    @Test("a return belongs to the oldest waiting message of the same address and ID")
    func returned() {
        var tracker = ConfirmTracker<Int>()
        for (number, (key, id)) in [("a", "1"), ("b", "2"), ("b", nil), ("b", "2")].enumerated() {
            tracker.published(message(key, id: id), waiter: number)
        }
        tracker.returned(reason: "first", exchange: "e", routingKey: "b", messageID: "2")
        tracker.returned(reason: "second", exchange: "e", routingKey: "b", messageID: "2")
        tracker.returned(reason: "foreign", exchange: "x", routingKey: "a", messageID: "1")
        tracker.returned(reason: "foreign", exchange: "e", routingKey: "a", messageID: nil)
        let settled = tracker.settled(tag: 4, multiple: true)
        #expect(settled?.map(\.waiter) == [0, 1, 2, 3])
        #expect(settled?.map(\.returnReason) == [nil, "first", nil, "second"])
    }

    @Test("a return of what is settled already hits nobody else")
    func lateReturn() {
        var tracker = ConfirmTracker<Int>()
        tracker.published(message("a", id: "1"), waiter: 1)
        tracker.published(message("a", id: "2"), waiter: 2)
        _ = tracker.settled(tag: 1, multiple: false)
        tracker.returned(reason: "late", exchange: "e", routingKey: "a", messageID: "1")
        #expect(tracker.settled(tag: 2, multiple: false)?.map(\.returnReason) == [nil])
    }

    @Test("drain gives everybody who waits, once")
    func drain() {
        var tracker = tracker(3)
        _ = tracker.settled(tag: 1, multiple: false)
        #expect(tracker.drain() == [2, 3])
        #expect(tracker.drain() == [])
        #expect(tracker.settled(tag: 2, multiple: false)?.map(\.waiter) == [])
    }
}
