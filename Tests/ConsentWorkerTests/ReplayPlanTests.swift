import ConsentContract
import Testing

@testable import ConsentWorker

/// Which letters are replayed, and which go with them.
struct ReplayPlanTests {
    private let a = GUID.random()
    private let b = GUID.random()

    private func fates(
        _ letters: [KeptLetter],
        matching: [Bool]? = nil,
        replayed: [GUID: ReplayPlan.Replayed] = [:],
        limit: Int? = nil
    ) -> [Int: ReplayPlan.Fate] {
        let all = matching ?? letters.map { _ in true }
        let plan = ReplayPlan(letters, matching: all, replayed: replayed, limit: limit)
        return Dictionary(uniqueKeysWithValues: plan.steps.map { ($0.index, $0.fate) })
    }

    @Test func everyCommandIsReplayedInTheQueuesOrder() {
        let letters = [LetterFixtures.letter(a), LetterFixtures.letter(b), LetterFixtures.unreadable]
        let plan = ReplayPlan(letters, matching: [true, true, true])
        #expect(plan.steps.map(\.index) == [0, 1, 2] && plan.replays == 3)
        #expect(plan.steps.allSatisfy { $0.fate == .replay(duplicates: []) })
    }

    @Test func ofOneCommandTheNewestTryIsReplayedAndTheOthersGoWithIt() {
        let letters = [
            LetterFixtures.letter(a), LetterFixtures.letter(b), LetterFixtures.letter(a, generation: 2),
            LetterFixtures.letter(a, generation: 1),
        ]
        #expect(
            fates(letters) == [
                0: .duplicate(of: 2), 1: .replay(duplicates: []), 2: .replay(duplicates: [0, 3]), 3: .duplicate(of: 2),
            ]
        )
    }

    @Test func ofEqualTriesTheFirstKeepsItsPlace() {
        let letters = [LetterFixtures.letter(a), LetterFixtures.letter(b), LetterFixtures.letter(a)]
        #expect(fates(letters)[0] == .replay(duplicates: [2]))
        #expect(fates(letters)[2] == .duplicate(of: 0))
    }

    @Test func anOlderTryIsNotReplayedWhereTheNewestDoesNotMatch() {
        let letters = [LetterFixtures.letter(a), LetterFixtures.letter(a, .conflict, generation: 1)]
        #expect(fates(letters, matching: [true, false]) == [0: .skip(.newerTry)])
        #expect(fates(letters, matching: [false, true]) == [1: .replay(duplicates: [0])])
    }

    @Test func anotherCommandOfTheSameIDIsNotTakenForADuplicate() {
        let letters = [
            LetterFixtures.letter(a, requestedBy: "somebody else"), LetterFixtures.letter(a, generation: 1),
        ]
        #expect(fates(letters) == [0: .skip(.otherCommand), 1: .replay(duplicates: [])])
    }

    @Test func aLaterRoundRepeatsNothing() {
        let old = LetterFixtures.letter(a)
        let replayed = [a: ReplayPlan.Replayed(old)]
        #expect(fates([old], replayed: replayed) == [0: .leftover])
        #expect(fates([LetterFixtures.letter(a, generation: 1)], replayed: replayed) == [0: .skip(.cameBack)])
        let other = LetterFixtures.letter(a, requestedBy: "somebody else")
        #expect(fates([other], replayed: replayed) == [0: .skip(.cameBack)])
    }

    @Test func theLimitIsOnReplays() {
        let letters = [LetterFixtures.letter(a), LetterFixtures.letter(a), LetterFixtures.letter(b)]
        #expect(fates(letters, limit: 1) == [0: .replay(duplicates: [1]), 1: .duplicate(of: 0)])
        #expect(fates(letters, limit: 2).count == 3)
        let newestLast = [LetterFixtures.letter(a), LetterFixtures.letter(b), LetterFixtures.letter(a, generation: 1)]
        #expect(fates(newestLast, limit: 1) == [1: .replay(duplicates: [])])
        let done = [a: ReplayPlan.Replayed(letters[1])]
        #expect(fates([letters[2], letters[1]], replayed: done, limit: 0) == [1: .leftover])
    }
}
