import ConsentContract
import ConsentWorker
import Foundation

/// All that a run has left behind: what was published, what was told, and what the simulator saw and is left with.
struct ChaosRecord: Sendable {
    typealias Command = ChaosWorkload.Command
    typealias Arrival = SimulatorProcess.Arrival

    /// An API of an application, which has a limit of its own.
    struct Limited: Hashable, Sendable {
        let application: GUID
        let isGraph: Bool

        var requests: Int { isGraph ? 20 : 50 }
    }

    var applications: [ChaosWorkload.Application]
    /// In the order in which they were published.
    var commands: [Command] = []
    /// By the command's ID, which is its correlation ID too.
    var events: [String: [EventJournal.Entry]] = [:]
    var arrivals: [Arrival] = []
    var stalls: [Limited: [ClosedRange<Int>]] = [:]
    /// The customers in which each application has consent in the end.
    var consented: [GUID: Set<String>] = [:]
    /// The IDs of commands with a dead letter.
    var letters: Set<String> = []

    init(applications: [ChaosWorkload.Application]) { self.applications = applications }

    /// Reads what is left when everything is done.
    init(_ scene: Scene, _ published: [Command], _ journal: EventJournal, _ workload: ChaosWorkload) async throws {
        applications = workload.applications
        commands = published
        events = journal.entries
        arrivals = try await scene.simulator.allArrivals()
        for application in applications {
            consented[application.id] = try await scene.simulator.consentedCustomers("\(application.id)")
            for isGraph in [false, true] {
                let stalls = try await ArrivalRecord.stalls(
                    of: scene.simulator,
                    "\(application.id)",
                    api: isGraph ? "graph" : "partnerCenter"
                )
                self.stalls[Limited(application: application.id, isGraph: isGraph)] = stalls.map(Self.withReading)
            }
        }
        letters = try await scene.broker.connect { connection in
            let channel = try await connection.openChannel()
            var letters: Set<String> = []
            while let letter = try await channel.get(Topology.Name.deadLetters) {
                letters.insert(letter.properties.headers["consent-command-id"]?.string ?? "unreadable")
                letter.ack()
            }
            return letters
        }
    }

    /// A simulator that was stopped takes a while to read what came meanwhile.
    private static func withReading(_ stall: ClosedRange<Int>) -> ClosedRange<Int> {
        let isLong = stall.upperBound - stall.lowerBound > 500_000_000
        return stall.lowerBound...(stall.upperBound + (isLong ? 250_000_000 : 0))
    }

    /// By their command's ID, in the order of time.
    var arrivalsByCommand: [String: [Arrival]] {
        Dictionary(grouping: arrivals.filter { $0.kind != "token" }) { $0.correlationID ?? "" }
            .mapValues { $0.sorted { $0.atNanoseconds < $1.atNanoseconds } }
    }

    func arrivals(at limited: Limited) -> ArrivalRecord {
        let kinds = limited.isGraph ? ["graph"] : ["grant", "revoke"]
        let application = "\(limited.application)"
        return ArrivalRecord(
            arrivals.filter { $0.application == application && kinds.contains($0.kind) },
            stalls[limited] ?? []
        )
    }
}
