import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// `publish --from`: many commands, by people, with interruptions.
    @Suite(.timeLimit(.minutes(5)))
    struct BulkPublishTests {
        private static let grant = ["--grant", "00000003-0000-0000-c000-000000000000=User.Read"]

        @Test func tenThousandRowsInterruptedTwiceTakeEffectOnceEach() async throws {
            // Nothing but the results file looks at ten thousand events.
            try await withScene(simulator: ["--limit", "none"], application: ["limits: none", "prefetch: 500"]) {
                bulk in
                let count = 10_000
                let rows = (1...count).map { "\(Platform.customer($0)),Customer \($0)" }
                let input = try bulk.write(["customerId,name"] + rows, "customers.csv")
                let results = "\(bulk.scene.folder)/customers.results.jsonl"
                let arguments = ["grant", "--from", input, "--partner", "\(bulk.scene.partner)"] + Self.grant
                try await bulk.scene.withWorker { _ in
                    let interrupted = try bulk.start(arguments)
                    _ = try await eventually("some results", every: .milliseconds(250)) {
                        bulk.count(results) >= 1000 ? true : nil
                    }
                    interrupted.signal(SIGINT)
                    #expect(try await interrupted.waitForExit() == 75)
                    #expect(interrupted.log.contains("Run the same command again to go on"), "\(interrupted.log)")
                    let first = bulk.count(results)
                    #expect((1000..<count).contains(first))

                    let killed = try bulk.start(arguments)
                    _ = try await eventually("more results", every: .milliseconds(250)) {
                        bulk.count(results) >= first + 2000 ? true : nil
                    }
                    await killed.kill()
                    #expect(bulk.count(results) < count)
                    // As if the power had failed in the middle of a line.
                    try bulk.append("{\"line\": 2, \"outc", results)
                    try bulk.append("10", "\(results).journal")

                    let resumed = try await bulk.publish(arguments + ["--json"])
                    #expect(resumed.status == 0, "\(resumed)")
                    #expect(resumed.errors.contains("going on: "), "\(resumed)")
                    let summary = try JSONParser.parse(Array(resumed.output.utf8.dropLast()))
                    #expect(summary["outcomes"]?["succeeded"]?.int == count && summary["interrupted"] == false)
                }
                let lines = try bulk.results(results)
                #expect(lines.map { $0["line"]?.int } == (2...count + 1).map { $0 })
                #expect(lines.map { $0["customerId"]?.string } == (1...count).map(Platform.customer))
                #expect(lines.allSatisfy { $0["outcome"] == "succeeded" && $0["effect"] == "granted" })
                let arrivals = try await bulk.scene.simulator.arrivals(of: "\(bulk.scene.application)")
                let effects = arrivals.filter { $0.effect == "granted" && !$0.repeated }
                #expect(effects.count == count && Set(effects.map(\.customer)).count == count)
                // Only what was sent and not yet confirmed at the kill may have come twice, as the same request.
                #expect(arrivals.count <= count + 200 && Set(arrivals.map(\.requestID)).count == count)
                let state = try await bulk.scene.simulator.call(.get, "state?application=\(bulk.scene.application)")
                #expect(state["consents"]?.array?.count { $0["consented"] == true } == count)
                try await bulk.expectNothingLeft(results)
            }
        }

        @Test func faultsAreNamedByLineAndNothingIsPublished() async throws {
            try await run { bulk, platform in
                let rows = [Platform.customer(1), "nobody", "\"\(Platform.customer(1))\"", "\"open"]
                let input = try bulk.write(["customerId"] + rows, "faulty.csv")
                let result = try await bulk.publish(
                    ["grant", "--from", input, "--partner", "\(bulk.scene.partner)", "--deadline", "soon"] + Self.grant
                )
                #expect(result.status == 64 && result.output.isEmpty)
                for text in [
                    "faulty.csv has 4 faults; nothing is published", "line 3: /customerId: must be a GUID",
                    "line 4: /customerId: is on line 2 already",
                    "every line: /deadline: must be", "line 5: has a quote that is never closed",
                ] {
                    #expect(result.errors.contains(text), "\(text) in:\n\(result.errors)")
                }
                #expect(try await platform.depth(platform.commandQueue) == 0)
                #expect(bulk.count("\(bulk.scene.folder)/faulty.results.jsonl") == 0)
                for arguments in [
                    ["--from", "-", "--format", "csv"], ["--from", "x.txt"], ["--from", "missing.csv"],
                    ["--from", input, "--customer", Platform.customer(1)], ["--results", "x"], [],
                ] {
                    let bad = try await bulk.publish(["revoke", "--partner", "\(bulk.scene.partner)"] + arguments)
                    #expect(bad.status == 64, "\(arguments): \(bad)")
                }
            }
        }

        @Test func standardInputOfJSONLinesEndsWithASummaryByOutcomeAndCategory() async throws {
            try await run { bulk, platform in
                try await bulk.scene.simulator.inject(
                    ["match": ["customer": .string(Platform.customer(2))], "action": ["refusal": "forbidden"]]
                )
                let input = """
                    {"customerId": "\(Platform.customer(1))", "correlationId": "order-1"}
                    {"customerId": "\(Platform.customer(2))"}

                    {"customerId": "\(Platform.customer(3))", "applicationId": "\(GUID.random())"}
                    {"customerId": "\(Platform.customer(4))", "deadline": "2020-01-01T00:00:00Z"}
                    """
                let results = "\(bulk.scene.folder)/results.jsonl"
                let arguments =
                    ["grant", "--from", "-", "--format", "jsonl", "--results", results, "--timeout", "30"]
                    + ["--partner", "\(bulk.scene.partner)", "--application", "\(bulk.scene.application)"] + Self.grant
                try await bulk.scene.withWorker { _ in
                    let result = try await bulk.scene.commandLine(["publish"] + arguments, input: input)
                    #expect(result.status == 1, "\(result)")
                    for text in [
                        "4 of 4 commands have their result", "1 succeeded: 1 granted", "1 failed",
                        "insufficientPrivileges (partner): Give", "applicationNotConfigured (operator): Add",
                        "deadlineExceeded (publisher): Publish",
                    ] {
                        #expect(result.output.contains(text), "\(text) in:\n\(result.output)")
                    }
                    let lines = try bulk.results(results)
                    #expect(lines.map { $0["line"]?.int } == [1, 2, 4, 5])
                    #expect(lines.map { $0["outcome"]?.string } == ["succeeded", "failed", "rejected", "expired"])
                    #expect(lines[0]["correlationId"] == "order-1")
                    let again = try await bulk.scene.commandLine(["publish"] + arguments, input: input)
                    #expect(again.status == 64 && again.errors.contains("a run that is complete"), "\(again)")
                }
                try await bulk.expectNothingLeft(results)
                _ = try await platform.takeDeadLetters()
            }
        }

        @Test func withoutAWorkerItEndsInTimeAndGoesOnLaterWithWhatCameMeanwhile() async throws {
            try await run { bulk, platform in
                let customers = (1...30).map(Platform.customer)
                let input = try bulk.write(["customerId;grants"] + customers.map { "\($0);" }, "customers.csv")
                let results = "\(bulk.scene.folder)/customers.results.jsonl"
                let arguments =
                    ["grant", "--from", input, "--partner", "\(bulk.scene.partner)", "--window", "10"] + Self.grant
                let waiting = try await bulk.publish(arguments + ["--timeout", "1"])
                #expect(waiting.status == 75 && waiting.errors.contains("does a worker run?"), "\(waiting)")
                #expect(waiting.output.contains("0 of 30") && waiting.errors.contains("Under way: 10"))
                #expect(try await platform.depth(platform.commandQueue) == 10)
                // What is published stays so, whatever has become of it.
                #expect(try await bulk.publish(arguments + ["--timeout", "1"]).status == 75)
                #expect(try await platform.depth(platform.commandQueue) == 10)
                try await bulk.scene.withWorker { _ in
                    try await platform.waitForEvents(10, within: .seconds(30))
                    let other = try await bulk.publish(arguments + ["--requested-by", "somebody"])
                    #expect(other.status == 64 && other.errors.contains("The input or the options are not"), "\(other)")
                    let resumed = try await bulk.publish(arguments)
                    #expect(resumed.status == 0 && resumed.output.contains("30 succeeded: 30 granted"), "\(resumed)")
                    // A dry run has its own results, and sends nothing.
                    let planned = try await bulk.publish(arguments + ["--dry-run"])
                    #expect(planned.status == 0 && planned.output.contains("30 planned"), "\(planned)")
                    #expect(bulk.count("\(bulk.scene.folder)/customers.dry-run.jsonl") == 30)
                }
                #expect(bulk.count(results) == 30)
                let arrivals = try await bulk.scene.simulator.arrivals(of: "\(bulk.scene.application)")
                #expect(arrivals.count == 30 && Set(arrivals.map(\.customer)).count == 30)
                try await bulk.expectNothingLeft(results)
            }
        }

        @Test func aRunWhoseEventsAreGonePublishesAgainWithTheSameIDs() async throws {
            try await run { bulk, platform in
                let input = try bulk.write([#"{"customerId": "\#(Platform.customer(1))"}"#], "customers.jsonl")
                let results = "\(bulk.scene.folder)/customers.results.jsonl"
                let arguments = ["revoke", "--from", input, "--partner", "\(bulk.scene.partner)"]
                let waiting = try await bulk.publish(arguments + ["--timeout", "1"])
                #expect(waiting.status == 75, "\(waiting)")
                try FileManager.default.moveItem(atPath: results, toPath: "\(results).away")
                let gone = try await bulk.publish(arguments)
                #expect(gone.status == 64 && gone.errors.contains("are gone"), "\(gone)")
                try FileManager.default.moveItem(atPath: "\(results).away", toPath: results)
                try await bulk.deleteQueue(results)
                try await bulk.scene.withWorker { _ in
                    try await platform.waitForEvents(1, within: .seconds(30))
                    let resumed = try await bulk.publish(arguments)
                    #expect(
                        resumed.status == 0 && resumed.errors.contains("published again with the same IDs: 1"),
                        "\(resumed)"
                    )
                }
                #expect(Set(platform.events.map(\.id)).count == 1 && platform.events.count == 2)
                try await bulk.expectNothingLeft(results)
            }
        }

        private func run(_ body: (Bulk, Platform) async throws -> Void) async throws {
            try await withScene { bulk in
                try await Platform.run(bulk.scene) { platform in try await body(bulk, platform) }
            }
        }

        private func withScene(
            simulator: [String] = [],
            application: [String] = [],
            _ body: (Bulk) async throws -> Void
        ) async throws {
            try await Scene.run(simulator: simulator) { scene in
                try scene.configure(application: application, top: ["log: {level: info}"])
                try await scene.declareTopology()
                try await body(Bulk(scene: scene))
            }
        }
    }
}

/// What a test of `publish --from` has to hand.
private struct Bulk {
    let scene: Scene

    func write(_ lines: [String], _ name: String) throws -> String {
        let path = "\(scene.folder)/\(name)"
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    func append(_ text: String, _ path: String) throws {
        guard let file = FileHandle(forWritingAtPath: path) else { throw TestFailure("there is no \(path)") }
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    /// Whole lines of a file; 0 if there is none.
    func count(_ path: String) -> Int {
        FileManager.default.contents(atPath: path)?.count { $0 == UInt8(ascii: "\n") } ?? 0
    }

    func results(_ path: String) throws -> [JSONValue] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        scene.emit(text)
        return try text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
    }

    func publish(_ arguments: [String]) async throws -> ChildProcess.Result {
        try await scene.commandLine(["publish"] + arguments)
    }

    func start(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(
            "\(Checkout.binaries)/consent-worker",
            ["publish"] + arguments + ["--config", scene.configurationFile],
            logFile: "\(scene.folder)/publish.log"
        )
    }

    /// The queue of an interrupted run, by its journal.
    func deleteQueue(_ results: String) async throws {
        let header = try JSONParser.parse(
            Array(String(contentsOfFile: "\(results).journal", encoding: .utf8).split(separator: "\n")[0].utf8)
        )
        let queue = "consent.bulk.\(header["job"]?.string ?? "")"
        try await scene.broker.connect { try await $0.openChannel().deleteQueue(queue) }
    }

    /// A complete run leaves its results only.
    func expectNothingLeft(_ results: String) async throws {
        #expect(!FileManager.default.fileExists(atPath: "\(results).journal"))
        #expect(!FileManager.default.fileExists(atPath: "\(results).new"))
        #expect(try await !scene.broker.ctl("list_queues", "name").contains("consent.bulk."))
    }
}
