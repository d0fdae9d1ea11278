import ArgumentParser
import Testing

@testable import partner_center_simulator

@Suite struct SimulationPlanTests {
    @Test func `everything is optional`() throws {
        let plan = try TestValues.plan()
        #expect(!plan.strict)
        #expect(plan.limit == nil)
        #expect(plan.faults.isEmpty)
    }

    @Test(arguments: [
        (#"{"aplications": []}"#, "aplications"),
        (#"{"applications": [{"clientId": "\#(TestValues.application)", "secret": "x"}]}"#, "secret"),
        (#"{"graph": {"tenants": {"x": {"cont": 3}}}}"#, "cont"),
        (#"{"faults": [{"action": {"reset": {}}, "match": {"app": "x"}}]}"#, "app"),
        (#"{"consents": [{"customer": "\#(TestValues.customer)", "app": "x"}]}"#, "app"),
    ])
    func `an unknown key is named`(text: String, key: String) {
        let error = #expect(throws: DecodingError.self) { try TestValues.plan(text) }
        #expect(error.map { JSONText.explain($0).contains("unknown key '\(key)'") } == true)
    }

    @Test func `options win over the plan, and the plan over the usual`() throws {
        let plan = try TestValues.plan(#"{"limit": "none", "windowMs": 500, "latencyMs": 7}"#)
        let settings = try BehaviourOptions.parse(["--window-ms", "250"]).settings(over: plan)
        #expect(settings.limits.partnerCenter == .none)
        #expect(settings.limits.windowMs == 250)
        #expect(settings.latencyMs == 7)
        #expect(settings.tokens.lifetimeSeconds == 3600)
    }

    @Test(arguments: ["0.0.0.0", "192.0.2.1", "example.com", "127.example.com", "::"])
    func `a host that is not loopback is refused unless exposed`(host: String) {
        #expect(throws: (any Error).self) { try SimulatorCommand.parse(["--host", host]) }
        #expect(throws: Never.self) { try SimulatorCommand.parse(["--host", host, "--exposed"]) }
        #expect(throws: Never.self) { try SimulatorCommand.parse(["--host", "127.0.0.1"]) }
    }
}
