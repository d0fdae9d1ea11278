import TestSupport

/// One way by which foreign bytes come into the worker, with what must hold whatever they are.
package struct FuzzInput: Sendable, CustomStringConvertible {
    package let name: String
    /// What inputs of this kind look like; changed ones are tried.
    private let examples: @Sendable () -> [[UInt8]]
    package let mutation: any Mutation
    /// - Throws: ``Broken``. A trap is a finding too.
    package let check: @Sendable ([UInt8]) throws -> Void

    package init(
        _ name: String,
        _ mutation: any Mutation,
        examples: @escaping @Sendable () -> [[UInt8]] = { [] },
        check: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.examples = examples
        self.mutation = mutation
        self.check = check
    }

    package var description: String { name }

    /// The examples, and what once was a finding.
    package var corpus: [[UInt8]] {
        examples() + Fixtures.files(in: "Tests/Fuzzing/Corpus/\(name)", where: { _ in true }).map(\.bytes)
    }

    package static let all: [FuzzInput] = [
        .json, .command, .delivery, .fleetMessage, .answer, .tokenAnswer, .graphPage, .refreshTokenFile, .configuration,
        .texts, .frames,
    ]
}

/// What should hold and does not.
package struct Broken: Error, CustomStringConvertible {
    package let description: String
}

package func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Broken(description: what()) }
}
