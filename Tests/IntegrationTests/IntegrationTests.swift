import Testing

/// What runs real processes: one test after the other, on one private broker that lives as long as they do.
@Suite(.serialized, .sharedBroker)
enum IntegrationTests {}

/// Those of them that mostly wait (for leases, outages, limits), at the same time as the others.
@Suite(.serialized, .sharedBroker)
enum EnduranceTests {}

/// Starts the shared broker before a suite and removes it afterwards.
struct SharedBrokerTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        let broker = try await PrivateBroker()
        do {
            try await PrivateBroker.$shared.withValue(broker) { try await function() }
        } catch {
            try await broker.remove()
            throw error
        }
        try await broker.remove()
    }
}

extension Trait where Self == SharedBrokerTrait {
    static var sharedBroker: SharedBrokerTrait { SharedBrokerTrait() }
}
