import ConsentContract
import Foundation
import JSON
import Testing

extension EnduranceTests {
    /// A command that ends the worker that carries it out.
    @Suite(.timeLimit(.minutes(5)))
    struct PoisonTests {
        @Test func aCommandThatEndsWorkersIsFoundAndItsNeighboursSucceed() async throws {
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(application: ["limits: none"])
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    let poison = Platform.customer(50)
                    // Its request stays unanswered for as long as it takes to kill who sent it.
                    try await scene.simulator.inject([
                        "match": ["customer": .string(poison), "path": "applicationconsents"], "action": ["hang": [:]],
                    ])
                    try await platform.publishAll(
                        (0..<101).map { (platform.command("grant", customer: Platform.customer($0)), "c-\($0)") }
                    )
                    var worker = try await scene.startWorker()
                    var kills = 0
                    while !platform.events.contains(where: { $0.correlationID == "c-50" }) {
                        let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                        if arrivals.count(where: { $0.customer == poison }) > kills {
                            await worker.kill()
                            kills += 1
                            worker = try await scene.startWorker(waitUntilReady: false)
                        }
                        try #require(kills < 12)
                        try await Task.sleep(for: .milliseconds(50))
                    }
                    try await platform.waitForEvents(101, within: .seconds(60))
                    print("poison: \(kills) workers killed")
                    for event in platform.events where event.correlationID != "c-50" {
                        #expect(event.outcome == "succeeded", "\(event.correlationID)")
                    }
                    let event = try await platform.event("c-50")
                    #expect(event.category == "workerCrashed" && event.effect == "unknown")
                    let letters = try await eventually("its dead letter") {
                        let letters = try await platform.takeDeadLetters()
                        return letters.isEmpty ? nil : letters
                    }
                    #expect(letters.map(\.properties.correlationID) == ["c-50"])
                    #expect(await worker.stop() == 0)
                    // Twice until owners are counted as ending, and three times while it ran alone.
                    #expect(kills <= 6)
                }
            }
        }

        @Test func aWorkerThatKeepsLosingItsConnectionAccusesNobody() async throws {
            try await Scene.run(simulator: ["--limit", "none"]) { scene in
                try scene.configure(application: ["limits: none"], top: ["log: {level: debug}"])
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    // It is under way whenever the connection breaks, and longer than owners are suspected for.
                    try await scene.simulator.inject([
                        "match": ["path": "applicationconsents"], "action": ["hang": [:]], "times": 5,
                    ])
                    let correlationID = try await platform.publish(platform.command("grant"))
                    try await scene.withWorker { worker in
                        for number in 1...5 {
                            _ = try await eventually("request \(number)", within: .seconds(60)) {
                                try await scene.simulator.arrivals(of: "\(scene.application)").count >= number
                                    ? true : nil
                            }
                            try await scene.broker.closeConnections(of: worker)
                        }
                        let event = try await platform.event(correlationID)
                        #expect(event.outcome == "succeeded", "\(event.json.text)")
                        #expect(!worker.log.contains("end one after the other"), "\(worker.log)")
                    }
                }
            }
        }

        @Test(arguments: Load.isLong ? [true, false] : [true])
        func manyRestartsInARowAccuseNobody(gracefully: Bool) async throws {
            let restarts = 10
            let count = 500
            try await Scene.run(simulator: ["--limit", "none", "--latency-ms", "5"]) { scene in
                try scene.configure(application: ["limits: {partnerCenter: {requests: 40, margin: 0ms}}"])
                try await scene.declareTopology()
                try await Platform.run(scene) { platform in
                    try await platform.publishAll(
                        (0..<count).map { (platform.command("grant", customer: Platform.customer($0)), "c-\($0)") }
                    )
                    // Two pods, the older of which is replaced each time: one that owns, or one that waits to.
                    var pods = [try await scene.startWorker(), try await scene.startWorker()]
                    for _ in 0..<restarts {
                        let old = pods.removeFirst()
                        pods.append(try await scene.startWorker())
                        let seen = platform.events.count
                        if gracefully { #expect(await old.stop() == 0) } else { await old.kill() }
                        _ = try await eventually("commands go on") {
                            platform.events.count > seen || platform.events.count >= count ? true : nil
                        }
                    }
                    try await platform.waitForEvents(count, within: .seconds(60))
                    #expect(platform.events.allSatisfy { $0.outcome == "succeeded" })
                    for pod in pods {
                        let status = await pod.stop()
                        #expect(status == 0, "\(pod.log.suffix(4000))")
                    }
                    let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                    #expect(Set(arrivals.map(\.requestID)).count == count)
                }
            }
        }
    }
}
