import Fuzzing
import TestSupport
import Testing

/// The short, repeatable form of the fuzzing: what is known to be hostile, and changes of it from a fixed seed. The
/// form that is led by coverage is `Tests/Fuzzing/run`.
@Suite(.timeLimit(.minutes(1)))
struct ReplayTests {
    static let inputs = FuzzInput.all + FuzzInput.ofTheCommandLine

    @Test(arguments: inputs)
    func examplesAndFindingsDoNoHarm(input: FuzzInput) throws {
        #expect(!input.corpus.isEmpty)
        for bytes in input.corpus { try input.check(bytes) }
        try input.check([])
    }

    @Test(arguments: inputs)
    func changedOnesDoNoHarm(input: FuzzInput) throws {
        var generator = SeededGenerator(seed: 20_261_121)
        var changed = 0
        let corpus = input.corpus
        for round in 0..<600 {
            let original = corpus[round % corpus.count]
            var bytes = original
            for _ in 0...(round % 4) { bytes = input.mutation.mutated(bytes, using: &generator) }
            if bytes != original { changed += 1 }
            do {
                try input.check(bytes)
            } catch {
                Issue.record("\(error); round \(round): \(String(decoding: bytes.prefix(2000), as: UTF8.self))")
            }
        }
        #expect(changed > 500)
    }

    @Test(arguments: inputs)
    func theSameSeedGivesTheSameChanges(input: FuzzInput) throws {
        func run() -> [[UInt8]] {
            var generator = SeededGenerator(seed: 7)
            return input.corpus.prefix(10).map { input.mutation.mutated($0, using: &generator) }
        }
        #expect(run() == run())
    }
}
