import ConsentContract
import JSON
import TestSupport
import Testing

/// Code and schemas are two statements of one contract; the examples hold them together.
@Suite("Schema examples", .timeLimit(.minutes(1)))
struct SchemaExampleTests {
    private struct Expectation {
        let category: String
        let pointers: [String]
    }

    private static func isCommand(_ name: String) -> Bool {
        name.hasSuffix(".json") && ["command.", "grant.", "revoke.", "query."].contains { name.hasPrefix($0) }
    }

    private static let valid = Fixtures.files(in: "schemas/examples/valid", where: isCommand)
    private static let invalid = Fixtures.files(in: "schemas/examples/invalid", where: isCommand)

    private static func expectations() throws -> [String: Expectation] {
        let document = try JSONParser.parse(Fixtures.file("schemas/examples/invalid/expectations.json").bytes)
        var result: [String: Expectation] = [:]
        for member in try #require(document.object).members where isCommand(member.name) {
            result[member.name] = Expectation(
                category: try #require(member.value["category"]?.string),
                pointers: try #require(member.value["pointers"]?.array).compactMap(\.string)
            )
        }
        return result
    }

    @Test("there are examples, and each invalid one has an expectation")
    func complete() throws {
        #expect(Self.valid.count >= 30)
        #expect(Self.invalid.count >= 200)
        #expect(try Self.expectations().keys.sorted() == Self.invalid.map(\.name))
    }

    @Test("every valid command is read", arguments: valid)
    func accepted(file: Fixtures.File) throws {
        let command = try CommandDecoder.decode(file.bytes)
        #expect(file.name.hasPrefix("\(command.kind.rawValue)."))
        let document = try JSONParser.parse(file.bytes)
        #expect(document["commandId"]?.string?.lowercased() == command.commandID.description)
        #expect(document["customerId"]?.string?.lowercased() == command.customerID.description)
        #expect(document["displayName"]?.string == command.displayName)
        #expect(document["requestedBy"]?.string == command.requestedBy)
        #expect((document["dryRun"]?.bool ?? false) == command.dryRun)
        #expect((document["deadline"] == nil) == (command.deadline == nil))
    }

    @Test("every invalid command is refused for exactly the expected reasons", arguments: invalid)
    func refused(file: Fixtures.File) throws {
        let expectation = try #require(try Self.expectations()[file.name])
        let rejection = #expect(throws: Rejection.self) { try CommandDecoder.decode(file.bytes) }
        #expect(rejection?.category.rawValue == expectation.category)
        #expect(Set(rejection?.faults.map(\.pointer.description) ?? []).sorted() == expectation.pointers)
        #expect(rejection?.faults.allSatisfy { !$0.reason.isEmpty } == true)
    }
}
