import AMQP
import ConsentContract
import ConsentWorker
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// The way of a command through the dead letters and back, with a worker.
    @Suite(.timeLimit(.minutes(5)))
    struct DeadLetterReplayTests {
        /// A worker whose partner has no refresh token until `mend` is called.
        private func withBrokenPartner(
            _ body: (LetterBox, _ mend: () async throws -> Void) async throws -> Void
        ) async throws {
            try await LetterBox.run { box in
                try FileManager.default.removeItem(atPath: "\(box.scene.folder)/refresh-tokens/\(box.scene.partner)")
                try await box.scene.withWorker { _ in
                    try await body(box) {
                        let added = try await box.scene.commandLine(
                            ["tokens", "add", "--partner", "\(box.scene.partner)"],
                            input: "a-refresh-token\n"
                        )
                        #expect(added.status == 0, "\(added)")
                    }
                }
            }
        }

        /// Publishes one grant for each customer and waits until each is a dead letter.
        private func fail(_ count: Int, _ box: LetterBox) async throws -> [(command: JSONValue, correlationID: String)]
        {
            let commands = (1...count).map {
                (command: box.platform.command("grant", customer: Platform.customer($0)), correlationID: "failed-\($0)")
            }
            try await box.platform.publishAll(commands)
            try await box.platform.waitForEvents(count, within: .seconds(60))
            _ = try await eventually("their letters") {
                try await box.platform.depth(Topology.Name.deadLetters) >= count ? true : nil
            }
            return commands
        }

        @Test func whatFailedSucceedsOnceTheCauseIsMended() async throws {
            try await withBrokenPartner { box, mend in
                let commands = try await fail(5, box)
                let letters = try await box.list("--partner", "\(box.scene.partner)")
                #expect(letters.allSatisfy { $0["category"] == "partnerNotConfigured" } && letters.count == 5)
                let shown = try await box.tool("show", "--limit", "1", "--json")
                let headers = try #require(try LetterBox.lines(shown).first?["headers"])
                #expect(headers["consent-customer"]?.string != nil && headers["consent-message"]?.string != nil)

                // Too early: it fails again, as the next generation.
                let early = try await box.tool("replay", "--limit", "1", "--json")
                #expect(try LetterBox.lines(early).last?["replayed"] == 1, "\(early)")
                _ = try await eventually("the letter of the second try") {
                    try await box.list().contains { $0["generation"] == 1 } ? true : nil
                }
                try await mend()
                let replay = try await box.tool("replay", "--partner", "\(box.scene.partner)", "--json")
                #expect(try LetterBox.lines(replay).last?["replayed"] == 5, "\(replay)")
                for item in commands {
                    let id = try #require(item.command["commandId"]?.string.flatMap { GUID($0) })
                    let event = try await eventually("success of \(item.correlationID)") {
                        box.platform.events.first {
                            $0.correlationID == item.correlationID && $0.outcome == "succeeded"
                        }
                    }
                    let all = box.platform.events.filter { $0.correlationID == item.correlationID }
                    #expect(event.id == "\(Identifiers.event(command: id, generation: all.count - 1))")
                    #expect(all.map(\.id) == all.indices.map { "\(Identifiers.event(command: id, generation: $0))" })
                    #expect(all.map(\.outcome).dropLast().allSatisfy { $0 == "failed" })
                }
                #expect(try await box.platform.depth(Topology.Name.deadLetters) == 0)
            }
        }

        @Test func aKilledReplayLosesNothingAndDoesNothingTwice() async throws {
            try await withBrokenPartner { box, mend in
                let count = 60
                let commands = try await fail(count, box)
                try await mend()
                let killed = try box.start("replay", "--rate", "20")
                _ = try await eventually("some succeed") {
                    box.platform.events.count { $0.outcome == "succeeded" } >= 15 ? true : nil
                }
                await killed.kill()
                let replay = try await box.tool("replay", "--rate", "100", "--json")
                let summary = try #require(try LetterBox.lines(replay).last)
                #expect(replay.status == 0 && (1...46).contains(summary["replayed"]?.int ?? 0), "\(replay)")
                _ = try await eventually("every command succeeds") {
                    Set(box.platform.events.filter { $0.outcome == "succeeded" }.map(\.correlationID)).count == count
                        ? true : nil
                }
                for item in commands {
                    let id = try #require(item.command["commandId"]?.string.flatMap { GUID($0) })
                    let successes = box.platform.events.filter {
                        $0.correlationID == item.correlationID && $0.outcome == "succeeded"
                    }
                    #expect(Set(successes.map(\.id)) == ["\(Identifiers.event(command: id, generation: 1))"])
                }
                let arrivals = try await box.scene.simulator.arrivals(of: "\(box.scene.application)")
                let effects = arrivals.filter { $0.effect == "granted" && !$0.repeated }
                #expect(effects.count == count && Set(effects.map(\.customer)).count == count)
                #expect(try await box.platform.depth(Topology.Name.deadLetters) == 0)
            }
        }

        @Test func whatAPublisherWritesInOurNameIsNotBelieved() async throws {
            try await LetterBox.run { box in
                try await box.scene.withWorker { _ in
                    let forged: AMQPTable = [
                        "consent-partner": .string("\(GUID.random())"), "consent-status": 503, "x-death": "x",
                        "consent-generation": 3, "hint": "kept",
                    ]
                    let key = "\(box.scene.application).\(Platform.customer(1))"
                    try await box.platform.publish(
                        Array("{".utf8),
                        correlationID: "1",
                        routingKey: key,
                        headers: forged
                    )
                    let large = forged.merging(["filler": .string(String(repeating: "x", count: 70_000))]) { $1 }
                    try await box.platform.publish(Array("{".utf8), correlationID: "2", routingKey: key, headers: large)
                    let letters = try await eventually("both letters") {
                        let letters = try await box.tool("show", "--category", "malformedMessage", "--json")
                        return try LetterBox.lines(letters).count == 2 ? try LetterBox.lines(letters) : nil
                    }
                    for letter in letters {
                        #expect(letter["partnerTenantId"] == .null && letter["status"] == .null)
                        #expect(letter["generation"] == 3 && letter["headers"]?["x-death"] == nil)
                        let isLarge = letter["correlationId"] == "2"
                        #expect((letter["headers"]?["hint"] == "kept") != isLarge)
                        #expect((letter["headers"]?["consent-headers-dropped"] == true) == isLarge)
                    }
                }
            }
        }

        @Test func anApplicationThatIsNotConfiguredIsRejectedAgain() async throws {
            try await LetterBox.run { box in
                try await box.scene.withWorker { _ in
                    let command = box.platform.command("grant", application: .random())
                    let correlationID = try await box.platform.publish(command)
                    #expect(try await box.platform.event(correlationID).category == "applicationNotConfigured")
                    _ = try await eventually("the letter") { try await box.list().isEmpty ? nil : true }
                    #expect(try await box.tool("replay").status == 0)
                    let again = try await eventually("the letter of the second try") {
                        try await box.list().first { $0["generation"] == 1 }
                    }
                    #expect(again["category"] == "applicationNotConfigured")
                }
            }
        }
    }
}
