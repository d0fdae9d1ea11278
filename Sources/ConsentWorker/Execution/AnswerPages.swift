import JSON

/// Collects the items of a query's answer; what outgrows one event is passed on in pages, so that memory stays bounded
/// however long the answer is.
struct AnswerPages {
    struct Page: Sendable {
        /// From 1.
        let number: Int
        let isFinal: Bool
        let items: [JSONValue]
    }

    typealias Emit = (Page) async throws -> Void

    /// What the items of one event may take, in bytes of JSON.
    static let maximumBytes = 1 << 20

    private let emit: Emit
    private var items: [JSONValue] = []
    private var bytes = 0
    private var emitted = 0
    private(set) var count = 0

    init(emit: @escaping Emit) { self.emit = emit }

    mutating func append(_ item: JSONValue) async throws {
        let size = item.bytes.count
        // Only now is it known that the page before is not the last.
        if bytes + size > Self.maximumBytes && !items.isEmpty { try await flush(isFinal: false) }
        items.append(item)
        bytes += size
        count += 1
    }

    /// The items that go into the command's own event, and how many pages went before it.
    mutating func finish() async throws -> (items: [JSONValue], pages: Int) {
        guard emitted > 0 else { return (items, 0) }
        try await flush(isFinal: true)
        return ([], emitted)
    }

    private mutating func flush(isFinal: Bool) async throws {
        emitted += 1
        let page = Page(number: emitted, isFinal: isFinal, items: items)
        items = []
        bytes = 0
        try await emit(page)
    }
}
