import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// Looking at dead letters, replaying and dropping them, with letters that the tests put there themselves.
    @Suite(.timeLimit(.minutes(5)))
    struct DeadLetterTests {
        @Test func whatMatchesIsListedInOrderAndStaysInOrder() async throws {
            try await LetterBox.run { box in
                let customers = (1...3).map(Platform.customer)
                let commands = (0..<300).map { box.platform.command("grant", customer: customers[$0 % 3]) }
                try await box.put(Array(commands[..<200]), "apiUnavailable", age: .seconds(7200))
                try await box.put(Array(commands[200...]), "conflict")
                let all = try await box.list()
                #expect(all.compactMap { $0["commandId"] } == commands.compactMap { $0["commandId"] })
                let first = try #require(all.first)
                #expect(first["category"] == "apiUnavailable" && first["command"] == "grant")
                #expect(first["attempts"] == 8 && first["generation"] == 0 && first["status"] == .null)
                #expect(first["partnerTenantId"]?.string == "\(box.scene.partner)")

                for (arguments, count) in [
                    (["--category", "conflict"], 100),
                    (["--category", "conflict", "--category", "apiUnavailable"], 300),
                    (["--customer", customers[0].uppercased()], 100), (["--customer", Platform.customer(9)], 0),
                    (["--older-than", "1h"], 200), (["--newer-than", "1h"], 100), (["--limit", "7"], 7),
                    (["--partner", "\(box.scene.partner)", "--application", "\(box.scene.application)"], 300),
                    (["--application", "\(GUID.random())"], 0),
                    (["--command-id", commands[5]["commandId"]?.string ?? ""], 1),
                    (["--customer", customers[1], "--category", "conflict", "--newer-than", "1d"], 33),
                ] {
                    let result = try await box.tool(["list", "--json"] + arguments)
                    #expect(try LetterBox.lines(result).count == count, "\(arguments)")
                    #expect(result.status == 0)
                    #expect(result.errors.contains("no dead letter matches; 300 are kept") == (count == 0))
                }
                let table = try await box.tool("list", "--limit", "1").output.split(separator: "\n")
                #expect(table.count == 2 && table[0].hasPrefix("AGE") && table[1].hasPrefix("2h   apiUnavailable"))
                #expect(table[1].contains(commands[0]["commandId"]?.string ?? "?"))
                #expect(try await box.list().map(\.letterID) == all.map(\.letterID))
            }
        }

        @Test func aLetterIsShownWithEverythingButSecrets() async throws {
            try await LetterBox.run { box in
                let command = box.platform.command("revoke", ["adminPassword": "hunter2"])
                try await box.put(
                    [command],
                    "conflict",
                    headers: ["consent-status": 409, "x-session-token": "hunter2"]
                )
                let id = command["commandId"]?.string ?? ""
                let shown = try await box.tool("show", "--command-id", id, "--json")
                let letter = try #require(try LetterBox.lines(shown).first)
                #expect(letter["error"]?["status"] == 409 && letter["error"]?["fixableBy"] == "publisher")
                #expect(letter["body"]?["commandId"]?.string == id)
                #expect(letter["headers"]?["consent-routing-key"] == "key")
                let text = try await box.tool("show", "--command-id", id).output
                #expect(text.contains(ErrorCategory.conflict.remedy) && text.contains(id))
                #expect(!(text + shown.output).contains("hunter2"))
                #expect(try await box.tool("show").status == 64)
            }
        }

        @Test func aReplayedCommandIsThePublishersWithTheNextGeneration() async throws {
            try await LetterBox.run { box in
                let commands = (0..<20).map { box.platform.command("grant", customer: Platform.customer($0 % 4)) }
                try await box.put(
                    commands,
                    headers: [
                        "consent-generation": 2, "x-death": .array([.table(["queue": "q", "count": 1])]),
                        "hint": "kept",
                        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    ]
                )
                try await box.put([Array("{".utf8)], "malformedMessage")
                try await box.put([box.platform.command("grant")], "routingKeyMismatch")
                let result = try await box.tool("replay", "--rate", "1000", "--json")
                #expect(result.status == 0, "\(result)")
                let summary = try #require(try LetterBox.lines(result).first)
                #expect(summary["replayed"] == 20 && summary["duplicates"] == 0 && summary["interrupted"] == false)
                #expect(summary["skipped"]?.array?.compactMap { $0["letters"] } == [1, 1])
                let replayed = try await box.take(box.platform.commandQueue)
                #expect(replayed.map(\.body) == commands.map { .complete($0.bytes) })
                for (message, command) in zip(replayed, commands) {
                    #expect(message.routingKey == "\(box.scene.application).\(command["customerId"]?.string ?? "")")
                    #expect(message.properties.headers["consent-generation"] == 3)
                    // The queue that it was taken from adds the last one itself.
                    #expect(
                        Set(message.properties.headers.keys).subtracting(["x-delivery-count"])
                            == ["consent-generation", "hint", "traceparent"]
                    )
                    #expect(message.properties.messageID == "message" && message.properties.deliveryMode == 2)
                }
                #expect(replayed.map(\.properties.correlationID) == commands.indices.map { "apiUnavailable-\($0)" })
                #expect(try await box.list().count == 2)
            }
        }

        @Test func ofSeveralLettersOfACommandTheNewestTryIsReplayed() async throws {
            try await LetterBox.run { box in
                let command = box.platform.command("grant")
                let other = box.platform.command("grant")
                try await box.put([command, command])
                try await box.put([other])
                try await box.put([command], "conflict", headers: ["consent-generation": 1])
                let held = try await box.tool("replay", "--category", "apiUnavailable", "--dry-run", "--json")
                let fates = try LetterBox.lines(held)
                #expect(fates.compactMap { $0["action"]?.string } == ["skip", "skip", "replay"])
                let result = try await box.tool("replay")
                #expect(result.output.contains("Replayed 2, removed 2 as duplicates."), "\(result)")
                let replayed = try await box.take(box.platform.commandQueue)
                #expect(replayed.map(\.properties.headers["consent-generation"]) == [1, 2])
                #expect(try await box.platform.depth(Topology.Name.deadLetters) == 0)
            }
        }

        @Test func aDryRunChangesNothingAndADropOnlyWhatItIsToldTo() async throws {
            try await LetterBox.run { box in
                let commands = (0..<30).map { box.platform.command("grant", customer: Platform.customer($0 % 3)) }
                try await box.put(commands)
                let before = try await box.list()
                let replay = try await box.tool("replay", "--dry-run")
                #expect(replay.status == 0 && replay.output.contains("Would replay 30, remove 0 as duplicates."))
                let plan = try LetterBox.lines(try await box.tool("replay", "--dry-run", "--json", "--limit", "4"))
                #expect(plan.count == 5 && plan.last?["replayed"] == 4 && plan.last?["dryRun"] == true)
                let drop = try await box.tool("drop", "--all", "--dry-run")
                #expect(drop.status == 0 && drop.output.contains("30 would be dropped."))
                #expect(try await box.list().map(\.letterID) == before.map(\.letterID))
                #expect(try await box.platform.depth(box.platform.commandQueue) == 0)

                #expect(try await box.tool("drop").status == 64)
                #expect(try await box.tool("drop", "--limit", "3").status == 64)
                let customer = Platform.customer(1)
                let dropped = try await box.tool("drop", "--customer", customer, "--limit", "4", "--json")
                #expect(try LetterBox.lines(dropped).first?["dropped"] == 4)
                let rest = try await box.list()
                #expect(rest.count == 26 && rest.count { $0["customerId"]?.string == customer } == 6)
                #expect(rest.map(\.letterID) == before.map(\.letterID).filter { rest.map(\.letterID).contains($0) })
                #expect(try await box.tool("drop", "--all").output == "Dropped 26 of 26 that match.\n")
                #expect(try await box.platform.depth(Topology.Name.deadLetters) == 0)
                for command in [["list"], ["replay"], ["drop", "--all"]] {
                    let nothing = try await box.tool(command)
                    #expect(nothing.status == 0 && nothing.errors.contains("there are no dead letters"), "\(nothing)")
                }
            }
        }

        @Test func thousandsAreReplayedAndDroppedWithoutALeftover() async throws {
            try await LetterBox.run { box in
                let commands = (0..<6000).map { box.platform.command("revoke", customer: Platform.customer($0 % 50)) }
                try await box.put(commands)
                let replay = try await box.tool("replay", "--rate", "10000", "--limit", "2000", "--json")
                #expect(try LetterBox.lines(replay).last?["replayed"] == 2000, "\(replay)")
                let replayed = try await box.take(box.platform.commandQueue)
                #expect(replayed.map(\.body) == commands[..<2000].map { .complete($0.bytes) })
                #expect(
                    try await box.list().compactMap { $0["commandId"] }
                        == commands[2000...].compactMap { $0["commandId"] }
                )
                #expect(try await box.tool("drop", "--all").output == "Dropped 4000 of 4000 that match.\n")
                #expect(try await box.list().isEmpty)
            }
        }

        @Test func anInterruptedReplaySaysSoAndLeavesTheOthersInOrder() async throws {
            try await LetterBox.run { box in
                let commands = (0..<50).map { box.platform.command("grant", customer: Platform.customer($0 % 5)) }
                try await box.put(commands)
                let replay = try box.start("replay", "--rate", "4", "--json")
                _ = try await eventually("some are replayed") {
                    try await box.platform.depth(box.platform.commandQueue) >= 10 ? true : nil
                }
                let meanwhile = try await box.tool("list")
                #expect(meanwhile.status == 0 && meanwhile.errors.contains("somebody else reads"), "\(meanwhile)")
                let second = try await box.tool("drop", "--all")
                #expect(second.status == 75 && second.output.isEmpty, "\(second)")
                replay.signal(SIGINT)
                #expect(try await replay.waitForExit() == 75)
                let summary = try JSONParser.parse(Array(replay.log.utf8.dropLast()))
                #expect(summary["interrupted"] == true)
                let replayed = try await box.take(box.platform.commandQueue).map(\.body)
                #expect(replayed.count == summary["replayed"]?.int)
                #expect(replayed == commands.prefix(replayed.count).map { .complete($0.bytes) })
                let rest = try await box.list()
                #expect(
                    rest.compactMap { $0["commandId"] } == commands[replayed.count...].compactMap { $0["commandId"] }
                )
            }
        }

        @Test func readingLettersAndWritingCommandsIsAllItNeeds() async throws {
            try await LetterBox.run { box in
                let user = "replayer\(box.scene.adminPort)"
                try await box.scene.broker.ctl("add_user", user, "a-password")
                try await box.scene.broker.ctl(
                    "set_permissions",
                    user,
                    "^$",
                    #"^consent\.commands$"#,
                    #"^consent\.dead-letters$"#
                )
                let url = "amqp://\(user):a-password@127.0.0.1:\(box.scene.broker.port)/%2f"
                try box.scene.configure(amqp: "amqp: {url: \"\(url)\"}")
                try await box.put([box.platform.command("grant"), box.platform.command("grant")])
                #expect(try await box.list().count == 2)
                #expect(try await box.tool("replay", "--limit", "1").status == 0)
                #expect(try await box.tool("drop", "--all").output == "Dropped 1 of 1 that match.\n")
                #expect(try await box.take(box.platform.commandQueue).count == 1)

                try await box.put([box.platform.command("grant")])
                try await box.scene.broker.ctl("set_permissions", user, "^$", "^$", #"^consent\.dead-letters$"#)
                let refused = try await box.tool("replay")
                #expect(refused.status == 69 && refused.errors.contains("ACCESS_REFUSED"), "\(refused)")
                #expect(refused.errors.split(separator: "\n").count == 1)
                #expect(try await box.list().count == 1)
                try box.scene.configure()
            }
        }

        @Test func wrongUsageAndAMissingBrokerHaveTheirExitCodes() async throws {
            try await LetterBox.run { box in
                for wrong in [
                    ["list", "--category", "nonsense"], ["list", "--older-than", "2 hours"], ["list", "--limit", "0"],
                    ["list", "--older-than", "2h", "--newer-than", "1h"], ["replay", "--rate", "0"],
                    ["show", "--command-id", "x"],
                ] {
                    let result = try await box.tool(wrong)
                    #expect(result.status == 64 && result.output.isEmpty, "\(wrong): \(result)")
                }
                for command in [["list"], ["replay"], ["drop", "--all"], ["show", "--limit", "1"]] {
                    let result = try await ChildProcess.run(
                        "\(Checkout.binaries)/consent-worker",
                        ["dead-letters"] + command + ["--config", box.scene.configurationFile],
                        environment: ["CONSENT_AMQP_URL": "amqp://guest:guest@127.0.0.1:9/%2f"]
                    )
                    #expect(result.status == 69 && result.errors.split(separator: "\n").count == 1, "\(result)")
                }
            }
        }
    }
}
