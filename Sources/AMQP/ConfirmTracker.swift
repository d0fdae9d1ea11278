/// Which published messages of a channel still wait for the broker's confirm, and what became of the others.
///
/// For an unroutable mandatory message the broker sends `basic.return` and then `basic.ack`: an ack alone is no proof
/// of a queue. The return carries no tag, so it is matched to the oldest waiting message of the same address and ID.
package struct ConfirmTracker<Waiter> {
    private struct Entry {
        let tag: UInt64
        let exchange: String
        let routingKey: String
        let messageID: String?
        let waiter: Waiter
        var returnReason: String?
    }

    private var entries: [Entry] = []
    private var lastTag: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Counts the publish that is about to be sent, as the broker does.
    package mutating func published(_ message: AMQPMessage, waiter: Waiter) {
        lastTag += 1
        entries.append(
            Entry(
                tag: lastTag,
                exchange: message.exchange,
                routingKey: message.routingKey,
                messageID: message.properties.messageID,
                waiter: waiter,
                returnReason: nil
            )
        )
    }

    package mutating func returned(reason: String, exchange: String, routingKey: String, messageID: String?) {
        let index = entries.firstIndex {
            $0.returnReason == nil && $0.exchange == exchange && $0.routingKey == routingKey
                && $0.messageID == messageID
        }
        if let index { entries[index].returnReason = reason }
    }

    /// The waiters that a confirm settles, each with the reason if its message was returned.
    /// - Returns: nil if the broker confirmed what was never published.
    package mutating func settled(tag: UInt64, multiple: Bool) -> [(waiter: Waiter, returnReason: String?)]? {
        guard tag <= lastTag else { return nil }
        if multiple {
            // Tag 0 with multiple stands for everything so far.
            let count = tag == 0 ? entries.count : entries.firstIndex { $0.tag > tag } ?? entries.count
            defer { entries.removeFirst(count) }
            return entries[..<count].map { ($0.waiter, $0.returnReason) }
        }
        guard let index = entries.firstIndex(where: { $0.tag == tag }) else { return [] }
        let entry = entries.remove(at: index)
        return [(entry.waiter, entry.returnReason)]
    }

    /// Everybody who still waits, when the channel is gone.
    package mutating func drain() -> [Waiter] {
        defer { entries = [] }
        return entries.map(\.waiter)
    }
}
