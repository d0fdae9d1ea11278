package import ConsentContract

/// How commands ended.
package struct OutcomeCounts: Sendable, Hashable {
    package var succeeded = 0
    package var failed = 0
    package var rejected = 0
    package var expired = 0

    package init() {}

    package var sum: Int { succeeded + failed + rejected + expired }

    package subscript(outcome: Outcome) -> Int {
        get {
            switch outcome {
            case .succeeded: succeeded
            case .failed: failed
            case .rejected: rejected
            case .expired: expired
            }
        }
        set {
            switch outcome {
            case .succeeded: succeeded = newValue
            case .failed: failed = newValue
            case .rejected: rejected = newValue
            case .expired: expired = newValue
            }
        }
    }

    package static func + (left: OutcomeCounts, right: OutcomeCounts) -> OutcomeCounts {
        var sum = left
        for outcome in Outcome.allCases { sum[outcome] += right[outcome] }
        return sum
    }
}

/// Where commands spent their time, in milliseconds, all of them together.
package struct CommandTimes: Sendable, Hashable {
    package var queue = 0
    package var limit = 0
    package var api = 0
    package var retry = 0

    package init() {}

    package static func + (left: CommandTimes, right: CommandTimes) -> CommandTimes {
        var sum = left
        sum.queue += right.queue
        sum.limit += right.limit
        sum.api += right.api
        sum.retry += right.retry
        return sum
    }

    package func divided(by count: Int) -> CommandTimes {
        var mean = CommandTimes()
        guard count > 0 else { return mean }
        mean.queue = queue / count
        mean.limit = limit / count
        mean.api = api / count
        mean.retry = retry / count
        return mean
    }
}
