package import ConsentContract
import MicrosoftAPI

/// What one pod does at this moment, for the live page, the metrics and the command line. Holds no token and no secret.
package struct StatusSnapshot: Sendable {
    package struct Application: Sendable {
        package enum Role: String, Sendable, CaseIterable {
            /// This pod takes its commands, alone.
            case owner
            /// Another pod does.
            case standby
            /// All pods do.
            case shared
            /// None does here: there is no connection.
            case detached
        }

        package var applicationID: GUID
        package var ordering: Configuration.Ordering
        package var role: Role
        /// An operator has paused it.
        package var isPaused = false
        /// Something about its configuration, such as a refused client secret, keeps its commands waiting.
        package var isMisconfigured = false
        /// Partners that have to sign in again: their commands fail.
        package var refusedPartners: [GUID] = []
        /// The pod that owns it, as far as known here.
        package var owner: String?
        /// Ready in the broker; nil where that was not learned.
        package var waiting: Int?
        /// Taken from the broker and not yet settled, here.
        package var inHand: Int
        /// Customers that those are for.
        package var lanes: Int
        package var prefetch: Int
        package var apis: PerAPI<Use>
        /// Of the last minute.
        package var outcomes: OutcomeCounts
        /// Since the start of the process.
        package var total: OutcomeCounts
        /// Of the last minute, the mean of a command.
        package var times: CommandTimes
        /// Commands that ended in a second, in the mean of the last ten as far as there was something to do.
        package var rate: Double

        /// When everything that waits will be done at the present rate; nil while nothing ends, or other pods do it.
        package var remaining: Duration? {
            guard role == .owner || role == .shared, !isPaused, let waiting, waiting + inHand > 0, rate > 0 else {
                return nil
            }
            let pause = API.allCases.compactMap { apis[$0].pause }.max() ?? .zero
            return pause + .seconds((Double(waiting + inHand) / rate).rounded(.up))
        }
    }

    /// The use that this pod makes of one API for one application.
    package struct Use: Sendable {
        package struct Limit: Sendable, Hashable {
            package var requests: Int
            package var window: Duration
        }

        package var limit: Limit?
        /// Requests in each of the last sixty whole seconds, the oldest first.
        package var sent: [Int]
        package var inFlight: Int
        /// Until requests may be sent again: the API asked for a pause.
        package var pause: Duration?
        /// Answers with 429 in the last minute.
        package var throttled: Int
        /// Requests of the last minute that came to nothing and are tried again.
        package var failedRequests: Int
    }

    package struct Queue: Sendable, Hashable {
        package var name: String
        /// Ready messages; nil where they could not be asked for.
        package var messages: Int?
    }

    package struct Pod: Sendable, Hashable {
        package var name: String
        package var owns: [GUID]
        package var isThisOne: Bool
    }

    package struct Breaker: Sendable, Hashable {
        /// What it stands before, as configuration and metrics call it.
        package var host: String
        /// As people call it.
        package var title: String
        package var isOpen: Bool
    }

    /// A command that failed or was rejected.
    package struct Failure: Sendable, Hashable {
        package var time: Timestamp
        package var command: CommandKind?
        package var applicationID: GUID?
        package var customerID: GUID?
        package var correlationID: String?
        package var outcome: Outcome
        package var category: ErrorCategory
        package var message: String
        package var status: Int?
        package var code: String?
    }

    package var pod: String
    package var version: String
    package var time: Timestamp
    package var uptime: Duration
    /// Why this pod is not ready; empty when it is.
    package var reasons: [String]
    package var applications: [Application]
    package var queues: [Queue]
    package var pods: [Pod]
    package var breakers: [Breaker]
    /// The latest first.
    package var failures: [Failure]

    package var isReady: Bool { reasons.isEmpty }
}
