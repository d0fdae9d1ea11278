import AMQP
import ConsentContract
import JSON
import Testing

@testable import consent_worker

@Suite struct BulkPlanTests {
    private func faults(_ plan: BulkPlan, of total: Int) -> [String] { plan.faults.text(ofLines: total) }

    @Test func whatALineDoesNotSayIsTakenFromTheOptions() throws {
        let resource = "00000002-0000-0000-c000-000000000000"
        let plan = Samples.plan(
            """
            \u{FEFF}Company,CUSTOMERID, displayName ,applicationId,grants
            Contoso,\(Samples.customer(1)),"Contoso, Ltd.",,
            Fabrikam, \(Samples.customer(2)) ,,\(Samples.otherApplication),"\(resource)=Mail.Read,User.Read;\(Samples.graph)=Sites.Read.All"
            """
        )
        #expect(plan.faults.isEmpty && plan.items.map(\.line) == [2, 3])
        let first = try Samples.body(plan, 0)
        #expect(first["displayName"] == "Contoso, Ltd." && first["applicationId"] == .string("\(Samples.application)"))
        #expect(first["partnerTenantId"] == .string(Samples.partner) && first["command"] == "grant")
        #expect(first["applicationGrants"] == [Samples.grant("User.Read")])
        let second = try Samples.body(plan, 1)
        #expect(second["displayName"] == nil && second["customerId"] == .string(Samples.customer(2)))
        #expect(
            second["applicationGrants"]
                == [Samples.grant("Mail.Read,User.Read", resource), Samples.grant("Sites.Read.All")]
        )
        let message = plan.message(1, in: Samples.application, at: Timestamp(milliseconds: 0))
        #expect(message.routingKey == "\(Samples.otherApplication).\(Samples.customer(2))")
    }

    @Test func columnsThatNoCommandHasAreNamed() {
        let input = BulkInput(Array("customerId,Domain,dryRun\n\(Samples.customer(1)),x.example,true\n".utf8), .csv)
        #expect(input.ignored == ["Domain"] && input.rows[0].members["dryRun"] == true)
        let lines = BulkInput(Array(#"{"customerID": "x", "tenant": 1}"#.utf8), .jsonl)
        #expect(lines.ignored == ["customerID", "tenant"])
    }

    @Test func everyFaultIsNamedByItsLine() {
        let plan = Samples.plan(
            """
            customerId,dryRun,grants
            nobody,,
            \(Samples.customer(1)),perhaps,
            \(Samples.customer(2)),,x
            \(Samples.customer(3)),,\(Samples.graph)=openid
            \(Samples.customer(1)),,
            ,,
            \(Samples.customer(4))
            \(Samples.partner),,
            """
        )
        let reasons = Dictionary(grouping: plan.faults, by: \.line).mapValues {
            $0.map(\.reason).joined(separator: "|")
        }
        #expect(reasons.keys.sorted() == [2, 3, 4, 5, 6, 7, 8, 9])
        for (line, text) in [
            2: "/customerId: must be a GUID", 3: "dryRun: must be true or false", 4: "grants: expects",
            5: "/applicationGrants/0/scope: openid", 6: "/customerId: is on line 3 already",
            7: "/customerId: is missing", 8: "has 1 cells; the header has 3", 9: "is the partner's own tenant",
        ] {
            #expect(reasons[line]?.contains(text) == true, "\(line): \(reasons[line] ?? "-")")
        }
    }

    @Test func aFaultOfTheOptionsIsSaidOnce() {
        let customers = "customerId\n\(Samples.customer(1))\n\(Samples.customer(2))"
        let late = Samples.plan(customers, .csv, Samples.template(.grant, [("deadline", "soon")]))
        #expect(faults(late, of: 2).count == 1 && faults(late, of: 2)[0].hasPrefix("every line: /deadline: must be"))
        let anonymous = Samples.plan(customers, .csv, Samples.template(.grant, without: ["partnerTenantId"]))
        #expect(faults(anonymous, of: 2) == ["every line: /partnerTenantId: is missing"])
        let some = Samples.plan(
            "customerId,partnerTenantId\n\(Samples.customer(1)),\n\(Samples.customer(2)),\(Samples.partner)\n",
            .csv,
            Samples.template(.grant, without: ["partnerTenantId"])
        )
        #expect(faults(some, of: 2) == ["line 2: /partnerTenantId: is missing"])
    }

    @Test func aHeaderWithoutCustomersOrWithAColumnTwiceIsAFault() {
        #expect(faults(Samples.plan("id,name\n1,2"), of: 0) == ["line 1: the header has no column customerId"])
        #expect(
            faults(Samples.plan("customerId,customerid\n"), of: 0) == ["line 1: has the column customerId twice"]
        )
        #expect(Samples.plan("").items.isEmpty && Samples.plan("").faults.isEmpty)
    }

    @Test func jsonLinesAreBodiesOrPartsOfThem() throws {
        let plan = Samples.plan(
            """
            {"customerId": "\(Samples.customer(1))", "correlationId": "order-1"}

            {"customerId": "\(Samples.customer(2))", "command": "revoke"}
            [1]
            {"customerId": "\(Samples.customer(3))"
            {"customerId": "\(Samples.customer(4))", "correlationId": 4}
            {"customerId": "\(Samples.customer(5))", "customerId": "\(Samples.customer(5))"}
            {"customerId": "\(Samples.customer(6))", "commandId": "\(Samples.application)"}
            {"customerId": "\(Samples.customer(7))", "commandId": "\(Samples.application)"}
            """,
            .jsonl,
            Samples.template(.revoke)
        )
        #expect(Set(plan.faults.map(\.line)) == [4, 5, 6, 7, 9])
        let message = plan.message(0, in: Samples.application, at: Timestamp(milliseconds: 0))
        #expect(message.properties.correlationID == "order-1")
        #expect(try Samples.body(plan, 0)["correlationId"] == nil)
        let wrongKind = Samples.plan(
            #"{"customerId": "\#(Samples.customer(1))", "command": "revoke"}"#,
            .jsonl,
            Samples.template(.query, [("query", ["operation": "list"])])
        )
        #expect(wrongKind.faults.map(\.reason).contains { $0.hasPrefix("/command: is revoke") })
    }

    @Test func severalQueriesOfOneCustomerAreNoFault() {
        let line = #"{"customerId": "\#(Samples.customer(1))", "query": {"operation": "list"}}"# + "\n"
        #expect(Samples.plan(line + line, .jsonl, Samples.template(.query)).faults.isEmpty)
    }

    @Test func commandIDsAreTheSameInOneRunAndOthersInTheNext() {
        let plan = Samples.plan("customerId\n\(Samples.customer(1))\n\(Samples.customer(2))\n")
        let run = GUID.random()
        #expect(plan.commandID(of: 0, in: run) == plan.commandID(of: 0, in: run))
        #expect(plan.commandID(of: 0, in: run) != plan.commandID(of: 1, in: run))
        #expect(plan.commandID(of: 0, in: run) != plan.commandID(of: 0, in: .random()))
        let own = Samples.plan("customerId,commandId\n\(Samples.customer(1)),\(Samples.otherApplication)\n")
        #expect(own.commandID(of: 0, in: run) == Samples.otherApplication)
    }

    @Test func theFingerprintTellsInputsAndOptionsApart() {
        let text = "customerId,correlationId\n\(Samples.customer(1)),a\n"
        let fingerprint = Samples.plan(text).fingerprint
        #expect(Samples.plan(text).fingerprint == fingerprint)
        let others = [
            Samples.plan("customerId,correlationId\n\(Samples.customer(2)),a\n"),
            Samples.plan("customerId,correlationId\n\(Samples.customer(1)),b\n"),
            Samples.plan("\n" + text), Samples.plan(text + "\(Samples.customer(2)),a\n"),
            Samples.plan(text, .csv, Samples.template(.revoke)),
            Samples.plan(text, .csv, Samples.template(.grant, [("dryRun", true)])),
        ]
        #expect(Set([fingerprint] + others.map(\.fingerprint)).count == 7)
    }
}
