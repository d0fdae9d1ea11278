import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// What `deploy/kubernetes` does to the workers.
    @Suite(.timeLimit(.minutes(Load.isLong ? 30 : 5)))
    struct RollingRestartTests {
        @Test func aRollingRestartUnderLoadLosesNothing() async throws {
            let rollout = try await Manifests.rollout("ha")
            var settings = SaturatedFleet.Settings(
                pods: rollout.replicas,
                orderings: [.customer, .none],
                backlog: 500 * (Load.isLong ? 4 : 1)
            )
            settings.top = ["shutdown: {grace: \(rollout.shutdownGrace)}"]
            let count = settings.backlog * settings.orderings.count
            try await FleetRun.repeated("a rolling restart of \(rollout.replicas) pods") {
                var wrong: [String] = []
                var pauses: [Double] = []
                var records = try await FleetRun.records(settings) { fleet in
                    try await fleet.waitForArrivals(50)
                    let start = try await fleet.now()
                    for pod in fleet.pods {
                        try await Self.replace(pod, in: fleet, within: rollout.gracePeriod)
                    }
                    if fleet.platform.events.count >= count { wrong.append("there was not work all the time") }
                    try await fleet.platform.waitForEvents(count, within: .seconds(60))
                    try Self.expectOneOutcomeEach(fleet)
                    for application in fleet.scene.applications {
                        let record = ArrivalRecord(stamps: try await fleet.stamps(of: application))
                        pauses.append(record.longestGap(after: start).seconds)
                    }
                }
                for index in records.indices {
                    records[index].measured = ["longest pause \(rounded(pauses[index])) s"]
                }
                if pauses.contains(where: { $0 > Load.patience(3) }) { wrong.append("pauses of \(pauses) s") }
                return (records, wrong.isEmpty ? nil : wrong.joined(separator: "; "))
            }
        }

        /// SIGTERM, and SIGKILL if the grace period is not enough; then the next one is started.
        private static func replace(
            _ pod: WorkerProcess,
            in fleet: SaturatedFleet,
            within gracePeriod: Duration
        ) async throws {
            let figures = "\(try pod.residentKilobytes() / 1024) MB, \(try pod.processorSeconds()) s of processor time"
            let start = ContinuousClock.now
            let status = await pod.stop(within: gracePeriod)
            print("rolling restart: a pod with \(figures) ended in \(ContinuousClock.now - start)")
            #expect(status == 0, "it ended by itself: \(pod.log.suffix(2000))")
            fleet.forget(pod)
            try await fleet.startPod()
        }

        /// Every command has its event, and those that have several have the same one.
        private static func expectOneOutcomeEach(_ fleet: SaturatedFleet) throws {
            let events = Dictionary(grouping: fleet.platform.events, by: \.correlationID)
            for (command, events) in events {
                #expect(Set(events.map(\.id)).count == 1, "\(command) has different events")
                #expect(events.allSatisfy { $0.outcome == "succeeded" }, "\(command): \(events.map(\.outcome))")
            }
            let repeated = fleet.platform.events.count - events.count
            print("rolling restart: \(events.count) commands, \(repeated) events repeated")
        }

        @Test(arguments: ["single", "ha", "autoscaled"])
        func theWorkerAcceptsTheConfigurationOfTheManifests(overlay: String) async throws {
            let folder = try Checkout.temporaryFolder()
            let container = try await Manifests.write(overlay, to: folder)
            let result = try await ChildProcess.run(
                "\(Checkout.binaries)/consent-worker",
                ["check-config", "--config", container.configuration],
                environment: container.environment
            )
            #expect(result.status == 0, "\(result)")
            let tokens = try await ChildProcess.run(
                "\(Checkout.binaries)/consent-worker",
                ["tokens", "list", "--config", container.configuration],
                environment: container.environment
            )
            #expect(tokens.status == 0 && tokens.output.contains("22222222-2222-4222-8222-222222222222"), "\(tokens)")
            try FileManager.default.removeItem(atPath: folder)
        }
    }
}
