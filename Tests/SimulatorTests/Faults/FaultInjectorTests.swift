import Testing

@testable import partner_center_simulator

@Suite struct FaultInjectorTests {
    private func injector(_ faults: String, seed: UInt64 = 1) throws -> FaultInjector {
        FaultInjector(try TestValues.faults(faults), seed: seed)
    }

    private func take(_ injector: FaultInjector) -> FaultInjector.Injection {
        injector.take(for: TestValues.grantCall(), subject: Subject())
    }

    private func fires(_ injector: FaultInjector, outOf count: Int) -> [Bool] {
        (0..<count).map { _ in !take(injector).ids.isEmpty }
    }

    @Test func `a fault without a count never ends`() throws {
        #expect(fires(try injector(#"[{"action": {"reset": {}}}]"#), outOf: 100).allSatisfy { $0 })
    }

    @Test func `times ends a fault, and after delays it`() throws {
        let injector = try injector(#"[{"action": {"reset": {}}, "after": 2, "times": 2}]"#)
        #expect(fires(injector, outOf: 6) == [false, false, true, true, false, false])
        #expect(injector.entries.map(\.seen) == [6])
        #expect(injector.entries.map(\.fired) == [2])
    }

    @Test func `the same seed gives the same run`() throws {
        let faults = #"[{"action": {"reset": {}}, "probability": 0.5}]"#
        let first = fires(try injector(faults, seed: 5), outOf: 64)
        let second = fires(try injector(faults, seed: 5), outOf: 64)
        let other = fires(try injector(faults, seed: 6), outOf: 64)
        #expect(first == second)
        #expect(first != other)
        #expect(first.contains(true) && first.contains(false))
    }

    @Test func `delays add up until a fault replaces the answer, and later ones are not asked`() throws {
        let injector = try injector(
            """
            [{"id": "a", "action": {"latency": {"ms": 20}}},
             {"id": "b", "action": {"latency": {"ms": 30}}},
             {"id": "late", "action": {"latency": {"ms": 7}}, "afterEffect": true},
             {"id": "c", "action": {"status": {"status": 500}}},
             {"id": "d", "action": {"reset": {}}, "times": 1}]
            """
        )
        let injection = take(injector)
        #expect(injection.ids == ["a", "b", "late", "c"])
        #expect(injection.latencyBeforeEffectMs == 50)
        #expect(injection.latencyAfterEffectMs == 7)
        #expect(injection.answerBeforeEffect == .status(.init(status: 500)))
        #expect(injector.entries.last?.fired == 0)
    }

    @Test func `a fault after the effect lets the request take effect`() throws {
        let injection = take(try injector(#"[{"action": {"reset": {}}, "afterEffect": true}]"#))
        #expect(injection.answerBeforeEffect == nil)
        #expect(injection.answerAfterEffect == .reset)
    }

    @Test func `a fault with the ID of another replaces it`() throws {
        let injector = try injector(#"[{"id": "x", "action": {"reset": {}}}]"#)
        injector.add(try TestValues.faults(#"[{"id": "x", "action": {"malformed": {}}}]"#))
        #expect(injector.entries.map(\.fault.action) == [.malformed])
        #expect(injector.remove(id: "x"))
        #expect(!injector.remove(id: "x"))
    }
}
