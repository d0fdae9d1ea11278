import ConsentContract
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// Operators stop an application and let it go on.
    @Suite(.timeLimit(.minutes(5)))
    struct PauseTests {
        @Test(arguments: ["customer", "none"])
        func aPausedApplicationStandsStillThroughRestartsAndLosesNoOrder(ordering: String) async throws {
            let count = 300
            try await Scene.run(applications: 2) { scene in
                try scene.configure(application: ["ordering: \(ordering)"])
                try await scene.declareTopology()
                let (paused, other) = (scene.applications[0], scene.applications[1])
                try await Platform.run(scene) { platform in
                    try await platform.publishAll(
                        (0..<count).map { (platform.command("grant", customer: Platform.customer($0 % 50)), "c-\($0)") }
                    )
                    let pods = [try await scene.startWorker(), try await scene.startWorker()]
                    try await platform.waitForEvents(50, within: .seconds(60))
                    let pause = try await scene.commandLine("pause", "\(paused)")
                    #expect(pause.status == 0 && pause.output.hasPrefix("Paused"), "\(pause)")
                    for pod in pods {
                        _ = try await eventually("every pod knows") {
                            try await pod.probe("readyz")?.body["paused"]?.array?.count == 1 ? true : nil
                        }
                    }
                    // What runs is finished; then the window is back in the queue.
                    let left = try await eventually("the window is back") {
                        let left = try await platform.depth(platform.commandQueue)
                        return left + Set(platform.events.map(\.correlationID)).count == count ? left : nil
                    }
                    let again = try await scene.commandLine("pause", "\(paused)")
                    #expect(again.output.contains("already"), "\(again)")

                    for pod in pods { #expect(await pod.stop() == 0) }
                    try await scene.withWorker { pod in
                        #expect(try await pod.probe("readyz")?.body["paused"]?.array == [.string("\(paused)")])
                        // Another application goes on beside it.
                        let command = platform.command("grant", application: other)
                        let event = try await platform.event(platform.publish(command))
                        #expect(event.outcome == "succeeded")
                        #expect(try await platform.depth(platform.commandQueue) == left)

                        let resume = try await scene.commandLine("resume", "\(paused)")
                        #expect(resume.status == 0 && resume.output.hasPrefix("Resumed"), "\(resume)")
                        try await platform.waitForEvents(count + 1, within: .seconds(60))
                    }
                    let arrivals = try await scene.simulator.arrivals(of: "\(paused)")
                    #expect(arrivals.count == count)
                    if ordering == "customer" {
                        try CustomerOrder(of: arrivals, published: (0..<count).map { "c-\($0)" }).expectKept()
                    }
                }
            }
        }

        @Test func anApplicationThatNobodyKnowsCannotBePaused() async throws {
            try await Scene.run { scene in
                try scene.configure()
                try await scene.declareTopology()
                for command in ["pause", "resume"] {
                    let result = try await scene.commandLine(command, "\(GUID.random())")
                    #expect(result.status == 69 && result.errors.contains("declare-topology"), "\(result)")
                }
            }
        }
    }
}
