import ConsentContract
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// One command says what goes on in the fleet.
    @Suite(.timeLimit(.minutes(5)))
    struct StatusTests {
        @Test func statusTellsOfQueuesOwnersBacklogAndTrouble() async throws {
            try await Scene.run(applications: 2) { scene in
                let (busy, paused) = (scene.applications[0], scene.applications[1])
                try scene.configure()
                try await scene.declareTopology()
                let idle = try await scene.commandLine("status", "--timeout", "1")
                #expect(idle.status == 0 && idle.output.contains("No worker has answered."), "\(idle)")
                #expect(try await scene.commandLine("pause", "\(paused)").status == 0)
                try await Platform.run(scene) { platform in
                    let pods = [try await scene.startWorker(), try await scene.startWorker()]
                    let owner = try await eventually("somebody owns it") { () -> Int? in
                        for (index, pod) in pods.enumerated() where try await pod.owns().contains("\(busy)") {
                            return index
                        }
                        return nil
                    }
                    try await scene.simulator.inject([
                        "match": ["customer": .string(Platform.customer(0))], "action": ["refusal": "forbidden"],
                    ])
                    try await platform.publishAll(
                        (0..<500).map { (platform.command("grant", customer: Platform.customer($0)), "c-\($0)") }
                    )
                    try await platform.waitForEvents(100, within: .seconds(60))

                    let result = try await scene.commandLine("status", "--json", "--timeout", "10")
                    let report = try JSONParser.parse(Array(result.output.utf8.dropLast()))
                    let applications = report["applications"]?.array ?? []
                    let first = try #require(applications.first { $0["applicationId"]?.string == "\(busy)" })
                    let second = try #require(applications.first { $0["applicationId"]?.string == "\(paused)" })
                    let workers = report["workers"]?.array ?? []
                    #expect(workers.count == 2 && report["silentWorkers"]?.array == [])
                    let inHand = first["inHand"]?.int ?? 0
                    #expect(first["waiting"]?.int ?? 0 > 0 && inHand > 0 && inHand <= 200, "\(first)")
                    let left = (first["waiting"]?.int ?? 0) + inHand
                    #expect(first["remainingMs"]?.int ?? 0 >= left * 1000 / 50, "\(first)")
                    #expect(first["lastMinute"]?["succeeded"]?.int ?? 0 >= 50)
                    #expect(second["paused"] == true && first["paused"] == false)
                    #expect(first["permits"] == [])
                    #expect(report["deadLetters"]?["byCategory"]?["insufficientPrivileges"] == 1)
                    // It names the one that owns, which is the one that says so itself.
                    let name = try #require(first["owner"]?.string)
                    let ports = try pods.map { try $0.localPorts(to: scene.broker.port) }
                    #expect(!ports[owner].isEmpty && workers.contains { $0["pod"]?.string == name })

                    let text = try await scene.commandLine("status", "--timeout", "10")
                    for part in ["\(busy)", "owned", "paused", "1 dead letters (1 insufficientPrivileges)", name] {
                        #expect(text.output.contains(part), "\(part) is not in \(text.output)")
                    }
                    try await platform.waitForEvents(500, within: .seconds(60))
                    for pod in pods { #expect(await pod.stop() == 0) }
                    _ = try await platform.takeDeadLetters()
                }
            }
        }

        @Test func itCountsThePermitsThatWorkersShare() async throws {
            try await Scene.run { scene in
                try scene.configure(application: ["ordering: none", "limits: {partnerCenter: {requests: 30}}"])
                try await scene.withWorker { _ in
                    let all = try await eventually("all permits are ready", within: .seconds(30)) { () -> JSONValue? in
                        let result = try await scene.commandLine("status", "--json", "--timeout", "10")
                        let report = try JSONParser.parse(Array(result.output.utf8.dropLast()))
                        let permits = report["applications"]?.array?.first?["permits"]
                        return permits?.array?.first?["ready"]?.int ?? 0 > 0 ? permits : nil
                    }
                    let first = try #require(all.array?.first)
                    #expect(first["api"] == "partnerCenter" && first["limit"] == 30)
                    #expect((first["ready"]?.int ?? 0) + (first["resting"]?.int ?? 0) <= 30)
                    #expect(all.array?.count == 2)
                    let text = try await scene.commandLine("status", "--timeout", "10")
                    #expect(text.output.contains("PERMITS OF") && text.output.contains("graph"), "\(text)")
                }
            }
        }

        @Test func withoutATopologyItSaysWhatToDo() async throws {
            try await Scene.run { scene in
                try scene.configure()
                let result = try await scene.commandLine("status", "--timeout", "1")
                #expect(result.status == 69 && result.errors.contains("declare-topology"), "\(result)")
                try await scene.declareTopology()
            }
        }
    }
}
