/// Whether a wait is for a command's first request or for another try.
package enum Precedence: Sendable, Hashable {
    case firstTry, retry
}

/// Who waits for something scarce: first tries before retries, each in order of arrival. Pure.
///
/// Where both wait, every fifth place goes to a retry: first tries that never cease would hold retries up for ever.
package struct WaitingLine<Waiter> {
    private var firstTries: [Waiter] = []
    private var retries: [Waiter] = []
    private var overtaken = 0

    private static var firstTriesPerRetry: Int { 4 }

    package init() {}

    package var isEmpty: Bool { firstTries.isEmpty && retries.isEmpty }

    package mutating func append(_ waiter: Waiter, _ precedence: Precedence) {
        switch precedence {
        case .firstTry: firstTries.append(waiter)
        case .retry: retries.append(waiter)
        }
    }

    package mutating func popFirst() -> Waiter? {
        guard !firstTries.isEmpty, retries.isEmpty || overtaken < Self.firstTriesPerRetry else {
            overtaken = 0
            return retries.isEmpty ? nil : retries.removeFirst()
        }
        if !retries.isEmpty { overtaken += 1 }
        return firstTries.removeFirst()
    }

    package mutating func removeAll(where shouldRemove: (Waiter) -> Bool) {
        firstTries.removeAll(where: shouldRemove)
        retries.removeAll(where: shouldRemove)
    }
}

extension WaitingLine: Sendable where Waiter: Sendable {}
