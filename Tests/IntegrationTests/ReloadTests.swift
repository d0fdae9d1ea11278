import ConsentContract
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// SIGHUP: applications come, go and change while the worker runs.
    @Suite(.timeLimit(.minutes(5)))
    struct ReloadTests {
        @Test func applicationsAndLimitsChangeWithoutDroppingWork() async throws {
            let count = 300
            try await Scene.run(applications: 3, simulator: ["--limit", "none"]) { scene in
                let (first, second, third) = (scene.applications[0], scene.applications[1], scene.applications[2])
                try scene.configure()
                try await scene.declareTopology()
                try scene.configure(listed: [first, third])
                try await Platform.run(scene) { platform in
                    let worker = try await scene.startWorker()
                    let commands = (0..<count).map { number in
                        let customer = Platform.customer(number % 30)
                        return (platform.command("grant", customer: customer), "c-\(number)")
                    }
                    try await platform.publishAll(commands)
                    try await platform.waitForEvents(30, within: .seconds(60))

                    // Faster, another in, a third one out.
                    try scene.configure(
                        listed: [first, second],
                        each: [first: ["limits: {partnerCenter: {requests: 200}}"]]
                    )
                    worker.reload()
                    let event = try await platform.event(
                        platform.publish(platform.command("grant", application: second))
                    )
                    #expect(event.outcome == "succeeded")
                    try await platform.waitForEvents(count + 1, within: .seconds(60))
                    #expect(platform.events.count == count + 1)
                    let arrivals = try await scene.simulator.arrivals(of: "\(first)")
                    #expect(arrivals.count == count, "nothing was dropped and nothing done twice")
                    try CustomerOrder(of: arrivals, published: commands.map(\.1)).expectKept()
                    let record = try await ArrivalRecord(scene.simulator, "\(first)")
                    #expect(record.worstWindow > 55 && record.violations(of: 200).isEmpty, "\(record.worstWindow)")
                    #expect(try await worker.owns() == ["\(first)", "\(second)"])
                    let shown = try await worker.probe("status.json")?.body["applications"]?.array ?? []
                    #expect(shown.map { $0["applicationId"]?.string } == ["\(first)", "\(second)"])
                    #expect(shown.first?["apis"]?.array?.first?["limit"]?["requests"] == 200)

                    // One with faults changes nothing.
                    try "applications: 7".write(toFile: scene.configurationFile, atomically: true, encoding: .utf8)
                    worker.reload()
                    _ = try await eventually("the log names the fault") {
                        worker.log.contains("must be a list") ? true : nil
                    }
                    #expect(
                        try await platform.event(platform.publish(platform.command("grant"))).outcome == "succeeded"
                    )
                    #expect(await worker.stop() == 0)
                }
            }
        }

        @Test func aChangeThatNeedsARestartSaysSo() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { worker in
                    try scene.configure(top: ["retry: {maxAttempts: 3}"])
                    worker.reload()
                    _ = try await eventually("the log says so") {
                        worker.log.contains("restart the worker for the rest") ? true : nil
                    }
                    #expect(try await worker.probe("readyz")?.status == 200)
                }
            }
        }
    }
}
