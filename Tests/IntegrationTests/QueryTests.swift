import Foundation
import HTTP
import JSON
import Testing

extension IntegrationTests {
    /// Reads of Graph, to the last page and not a host further.
    @Suite(.timeLimit(.minutes(5)))
    struct QueryTests {
        private func query(
            _ members: JSONValue,
            graph: JSONValue? = nil,
            beta: Bool = false,
            _ top: [String] = []
        ) async throws -> (terminal: Platform.Event, all: [Platform.Event], arrivals: [SimulatorProcess.Arrival]) {
            var result: (Platform.Event, [Platform.Event], [SimulatorProcess.Arrival])?
            try await Scene.run { scene in
                try scene.configure(
                    application: ["limits: none"],
                    top: ["retry: {base: 5ms, cap: 50ms}"] + top,
                    beta: beta
                )
                if let graph { try await scene.simulator.call(.post, "graph", graph) }
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let correlationID = try await platform.publish(platform.command("query", ["query": members]))
                        let terminal = try await eventually("the terminal event") {
                            platform.events.first { $0.correlationID == correlationID && !$0.outcome.isEmpty }
                        }
                        _ = try await platform.takeDeadLetters()
                        result = (
                            terminal, platform.events, try await scene.simulator.arrivals(of: "\(scene.application)")
                        )
                    }
                }
            }
            return try #require(result)
        }

        private func items(_ event: Platform.Event) -> [JSONValue] { event.data["result"]?["items"]?.array ?? [] }

        private func tenant(_ items: [JSONValue]) -> JSONValue {
            let tenants = JSONObject(members: [.init(name: Platform.customer(1), value: ["items": .array(items)])])
            return ["tenants": .object(tenants)]
        }

        private func item(_ id: String, name: String) -> JSONValue {
            [
                "id": .string(id), "appId": "aaaaaaaa-0000-4000-8000-000000000001", "appDisplayName": .string(name),
                "consentType": "Dynamic", "pendingScopes": [["displayName": "User.Read"]],
            ]
        }

        @Test func threeThousandItemsArriveOnceEachInOrderInBoundedMemory() async throws {
            let count = 3000
            // Names that make the answer several times as large as an event's items may be.
            let all = (0..<count).map {
                item("request-\($0)", name: "App \($0) " + String(repeating: "x", count: 1000))
            }
            try await Scene.run { scene in
                try scene.configure(application: ["limits: none"])
                try await scene.simulator.call(.post, "graph", tenant(all))
                try await scene.withWorker { worker in
                    try await Platform.run(scene) { platform in
                        // The first query warms up what every later one uses.
                        let small = try await platform.publish(
                            platform.command("query", ["query": ["operation": "get", "id": "request-1"]])
                        )
                        _ = try await platform.event(small)
                        let before = try worker.residentKilobytes()
                        let correlationID = try await platform.publish(
                            platform.command("query", ["query": ["operation": "list", "top": 100]])
                        )
                        let terminal = try await eventually("the terminal event") {
                            platform.events.first { $0.correlationID == correlationID && !$0.outcome.isEmpty }
                        }
                        let growth = try worker.residentKilobytes() - before
                        print("query: \(count) items, worker grew by \(growth) kB")
                        #expect(growth < 20 * 1024 * Load.memory)
                        let mine = platform.events.filter { $0.correlationID == correlationID }
                        let pages = mine.dropLast()
                        #expect(mine.last?.id == terminal.id, "the terminal event comes last")
                        #expect(pages.map { $0.data["page"]?.int } == (1...pages.count).map { $0 })
                        #expect(pages.map { $0.data["final"]?.bool } == (1...pages.count).map { $0 == pages.count })
                        #expect(Set(mine.map(\.id)).count == mine.count)
                        #expect(terminal.data["result"]?["pages"]?.int == pages.count)
                        #expect(terminal.data["result"]?["count"]?.int == count && items(terminal).isEmpty)
                        let ids = pages.flatMap { $0.data["items"]?.array ?? [] }.compactMap { $0["id"]?.string }
                        #expect(ids == (0..<count).map { "request-\($0)" })
                    }
                }
            }
        }

        @Test func aFailureInTheMiddleOfPagingDoesNotBeginAnew() async throws {
            try await Scene.run { scene in
                try scene.configure(application: ["limits: none"], top: ["retry: {base: 5ms, cap: 50ms}"])
                try await scene.simulator.call(.post, "graph", ["pageSize": 10, "defaultCount": 50])
                try await scene.simulator.inject([
                    "match": ["kind": "graph"], "after": 2, "times": 2, "action": ["status": ["status": 503]],
                ])
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let event = try await platform.event(
                            platform.publish(platform.command("query", ["query": ["operation": "list"]]))
                        )
                        #expect(event.outcome == "succeeded" && items(event).count == 50)
                        #expect(Set(items(event).compactMap { $0["id"]?.string }).count == 50)
                        let arrivals = try await scene.simulator.arrivals(of: "\(scene.application)")
                        #expect(arrivals.count == 7 && Set(arrivals.map(\.requestID)).count == 5)
                    }
                }
            }
        }

        @Test(arguments: [
            "O'Brien's \"App\"", "a&b=c?d#e", "100 % %27 %2520", "🦉 é ☂", "two\nlines\ttab", "a+b c", "''", "\\ / ;",
        ])
        func hostileNamesRoundTripThroughTheFilter(name: String) async throws {
            let decoys = ["O", "a", "100 %", "🦉", "two", "a+b", "'", "\\"].map {
                item("decoy-\($0.utf8.count)", name: $0)
            }
            let result = try await query(
                ["operation": "list", "filter": ["appDisplayName": .string(name)]],
                graph: tenant(decoys + [item("wanted", name: name)])
            )
            #expect(
                items(result.terminal).compactMap { $0["id"]?.string } == ["wanted"],
                "\(result.terminal.json.text)"
            )
        }

        @Test func filterOrderAndPageSizeReachGraph() async throws {
            let names = ["Beta", "alpha", "Gamma"]
            let result = try await query(
                ["operation": "list", "orderBy": "appDisplayName desc", "top": 2],
                graph: tenant(names.enumerated().map { item("r-\($0)", name: $1) })
            )
            #expect(items(result.terminal).count == 3 && result.arrivals.count == 2)
            let sorted = items(result.terminal).compactMap { $0["appDisplayName"]?.string }
            #expect(sorted == ["alpha", "Gamma", "Beta"] || sorted == ["Gamma", "Beta", "alpha"], "\(sorted)")
        }

        @Test func consentTypeIsReadFromBetaOnly() async throws {
            let stable = try await query(["operation": "list"])
            #expect(items(stable.terminal).allSatisfy { $0["consentType"] == nil })
            let beta = try await query(["operation": "list", "filter": ["consentType": "Static"]], beta: true)
            #expect(beta.terminal.outcome == "succeeded")
            #expect(items(beta.terminal).allSatisfy { $0["consentType"] == "Static" })
        }

        @Test func theReviewersOwnRequestsAreRead() async throws {
            let result = try await query(["operation": "filterByCurrentUser"])
            #expect(result.terminal.outcome == "succeeded", "\(result.terminal.json.text)")
        }

        @Test func childrenComeWithTheirItemsWhereWanted() async throws {
            let result = try await query(["operation": "list", "include": ["userConsentRequests"]])
            #expect(result.terminal.outcome == "succeeded", "\(result.terminal.json.text)")
            let children = items(result.terminal).flatMap { $0["userConsentRequests"]?.array ?? [] }
            #expect(!children.isEmpty && children.allSatisfy { $0["status"]?.string != nil && $0["createdBy"] != nil })
            #expect(result.arrivals.count == 1 + items(result.terminal).count)
        }

        @Test func anEmptyListTellsWhetherTheWorkflowIsEnabled() async throws {
            let empty = try await query(["operation": "list", "include": ["policy"]], graph: tenant([]))
            #expect(empty.terminal.data["result"]?["policy"]?["isEnabled"]?.bool != nil, "\(empty.terminal.json.text)")
            let full = try await query(["operation": "list", "include": ["policy"]])
            #expect(full.terminal.data["result"]?["policy"] == nil && full.arrivals.count == 1)
        }

        @Test func aForeignNextLinkIsNotFollowedAndNoTokenLeaves() async throws {
            try await Scene.run { scene in
                let other = try await SimulatorProcess(folder: "\(scene.folder)/refresh-tokens", arguments: [])
                try scene.configure(application: ["limits: none"])
                try await scene.simulator.call(
                    .post,
                    "graph",
                    ["pageSize": 2, "nextLink": "foreignHost", "defaultCount": 5]
                )
                // A page whose link leads to a second listener on the same machine, another port.
                try await scene.simulator.inject([
                    "match": ["kind": "graph"], "times": 1,
                    "action": [
                        "status": [
                            "status": 200,
                            "body": ["value": [], "@odata.nextLink": .string("\(other.url)/v1.0/elsewhere")],
                        ]
                    ],
                ])
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        for _ in 1...2 {
                            let event = try await platform.event(
                                platform.publish(platform.command("query", ["query": ["operation": "list"]]))
                            )
                            #expect(event.outcome == "failed" && event.category == "untrustedNextLink")
                        }
                        _ = try await platform.takeDeadLetters()
                    }
                }
                #expect(try await other.call(.get, "arrivals")["arrivals"]?.array?.isEmpty == true)
                await other.stop()
            }
        }

        @Test func aLoopOfPagesAndAPageThatIsNoJSONAreNamed() async throws {
            let loop = try await query(
                ["operation": "list"],
                graph: ["pageSize": 2, "nextLink": "loop", "defaultCount": 5]
            )
            #expect(loop.terminal.outcome == "failed" && loop.terminal.category == "pagingLoop")
            try await Scene.run { scene in
                try scene.configure()
                try await scene.simulator.inject(["match": ["kind": "graph"], "action": ["malformed": [:]]])
                try await scene.withWorker { _ in
                    try await Platform.run(scene) { platform in
                        let event = try await platform.event(
                            platform.publish(platform.command("query", ["query": ["operation": "list"]]))
                        )
                        #expect(event.outcome == "failed" && event.category == "malformedResponse")
                        _ = try await platform.takeDeadLetters()
                    }
                }
            }
        }

        @Test func boundsCutAnAnswerAndSaySo() async throws {
            let result = try await query(
                ["operation": "list"],
                graph: ["pageSize": 10, "defaultCount": 50],
                ["query: {maxItems: 25}"]
            )
            #expect(items(result.terminal).count == 25)
            #expect(result.terminal.data["result"]?["truncated"] == true)
            let pages = try await query(
                ["operation": "list"],
                graph: ["pageSize": 10, "defaultCount": 50],
                ["query: {maxPages: 2}"]
            )
            #expect(items(pages.terminal).count == 20 && pages.arrivals.count == 2)
        }
    }
}
