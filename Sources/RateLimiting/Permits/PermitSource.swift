import AMQP
import Resilience

/// Sees to it that there are permits, over one work connection.
struct PermitSource: Sendable {
    let seeder: PermitSeeder
    let connection: AMQPConnection
    /// Opens the short-lived connection that holds the lock and publishes the permits, on a loop of its own.
    let openSeedingConnection: @Sendable () async throws -> AMQPConnection
    let tally: PermitTally
    let clock: any MonotonicClock
    /// Told why there are no permits for now.
    let report: @Sendable (String) -> Void

    /// Returns the marker that this process goes by, once there is one.
    func settle() async throws -> PermitMarker {
        while true {
            let look = try await seeder.lookClosely(on: connection)
            if case .found(let marker) = look {
                if seeder.binds(marker) { return marker }
                report("the permits of \(seeder.queues.permits) are of an older limit and are being seeded anew")
            } else {
                report("the permits of \(seeder.queues.permits) are being seeded")
            }
            if try await !seeder.isLocked(on: connection), let marker = try await seed(unless: { seeder.binds($0) }) {
                return marker
            }
            try await clock.sleep(for: .milliseconds(Int.random(in: 100...300)))
        }
    }

    /// Seeds anew, unless somebody has done so since this marker was read.
    func replace(_ marker: PermitMarker) async throws {
        _ = try await seed(unless: { $0.epoch != marker.epoch && seeder.binds($0) })
    }

    private func seed(unless isSettled: (PermitMarker) -> Bool) async throws -> PermitMarker? {
        let seeding = try await openSeedingConnection()
        return try await withTaskCancellationHandler {
            do {
                let result = try await seeder.seed(on: seeding, unless: isSettled)
                await seeding.retire()
                if result?.isNew == true { tally.seeded() }
                return result?.marker
            } catch {
                await seeding.retire()
                throw error
            }
        } onCancel: {
            // A broker that takes no messages confirms none either.
            Task { await seeding.abort() }
        }
    }
}
