import NIOConcurrencyHelpers
package import Resilience

/// What other threads want sent, in their order, until the connection's thread takes it.
package final class Outbox: Sendable {
    package typealias Confirm = Result<AMQPChannel.PublishOutcome, AMQPError>

    package enum Operation: Sendable {
        case publish(AMQPMessage, OneShot<Confirm>)
        case ack(UInt64)
        case reject(UInt64, requeue: Bool)
        /// What the caller waits for an answer to.
        case request(Request)

        /// About how much the socket has to take.
        package var bytes: Int {
            switch self {
            case .publish(let message, _): 512 + message.body.count
            case .ack, .reject: 32
            case .request: 512
            }
        }
    }

    package struct Entry: Sendable {
        package let channel: UInt16
        package let channelID: UInt64
        package let operation: Operation

        package init(channel: UInt16, channelID: UInt64, operation: Operation) {
            self.channel = channel
            self.channelID = channelID
            self.operation = operation
        }
    }

    private struct State {
        var entries: [Entry] = []
        var isClosed = false
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    package enum Appended: Sendable, Hashable { case first, further, refused }

    /// `first` asks the caller to wake the connection's thread; `refused` says that the connection is gone.
    package func append(_ entry: Entry) -> Appended {
        state.withLockedValue { state in
            guard !state.isClosed else { return .refused }
            state.entries.append(entry)
            return state.entries.count == 1 ? .first : .further
        }
    }

    package func take() -> [Entry] {
        state.withLockedValue { state in
            guard !state.entries.isEmpty else { return [] }
            defer { state.entries = [] }
            return state.entries
        }
    }

    package var isEmpty: Bool { state.withLockedValue { $0.entries.isEmpty } }

    /// Refuses everything from now on; what was not sent is returned.
    package func close() -> [Entry] {
        state.withLockedValue { state in
            defer { state = State(isClosed: true) }
            return state.entries
        }
    }
}
