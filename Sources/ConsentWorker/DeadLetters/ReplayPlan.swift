package import ConsentContract

/// Which of the letters are replayed, and which go with another of the same command.
///
/// One command may have several letters: it failed again after a replay, or a crash kept it twice. Only the newest try
/// counts: replaying an older one would repeat the IDs of a try that has its event already.
package struct ReplayPlan: Sendable, Hashable {
    package enum Fate: Sendable, Hashable {
        /// Replayed; once that is confirmed, it is settled and these of the same command with it.
        case replay(duplicates: [Int])
        /// Goes with the letter at that place.
        case duplicate(of: Int)
        /// Was replayed before in this run and is still there: its acknowledgement was lost.
        case leftover
        case skip(Reason)
    }

    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case newerTry = "a newer try of the same command is kept and does not match"
        case otherCommand = "another command has the same ID and a newer try"
        case cameBack = "it failed again during this replay"
    }

    /// What was replayed before in this run.
    package struct Replayed: Sendable, Hashable {
        package let generation: Int
        package let fingerprint: GUID

        package init(_ letter: KeptLetter) {
            generation = letter.generation
            fingerprint = letter.fingerprint
        }

        /// Whether the letter is of that try or an earlier one, not of what came of the replay.
        package func includes(_ letter: KeptLetter) -> Bool {
            letter.generation <= generation && letter.fingerprint == fingerprint
        }
    }

    package struct Step: Sendable, Hashable {
        package let index: Int
        package let fate: Fate
    }

    /// The matching letters in the queue's order; the limit is on replays.
    package let steps: [Step]

    package var replays: Int {
        steps.count { if case .replay = $0.fate { true } else { false } }
    }

    /// - Parameters:
    ///   - letters: all that are in the queue, in its order.
    ///   - matching: whether each is to be replayed.
    package init(
        _ letters: [KeptLetter],
        matching: [Bool],
        replayed: [GUID: Replayed] = [:],
        limit: Int? = nil
    ) {
        let tries = Tries(letters)
        var steps: [Step] = []
        var planned: Set<Int> = []
        for index in letters.indices where matching[index] {
            let fate = Self.fate(index, letters, matching, tries, replayed)
            if case .replay = fate {
                if let limit, planned.count >= limit { continue }
                planned.insert(index)
            } else if case .skip = fate, let limit, planned.count >= limit {
                continue
            }
            steps.append(Step(index: index, fate: fate))
        }
        self.steps = steps.filter {
            if case .duplicate(let newest) = $0.fate { planned.contains(newest) } else { true }
        }
    }

    private static func fate(
        _ index: Int,
        _ letters: [KeptLetter],
        _ matching: [Bool],
        _ tries: Tries,
        _ replayed: [GUID: Replayed]
    ) -> Fate {
        let letter = letters[index]
        guard let command = letter.commandID, let newest = tries.newest[command] else {
            return .replay(duplicates: [])
        }
        if let earlier = replayed[command] {
            return earlier.includes(letter) ? .leftover : .skip(.cameBack)
        }
        if newest == index { return .replay(duplicates: tries.duplicates(of: index, letters)) }
        guard letter.fingerprint == letters[newest].fingerprint else { return .skip(.otherCommand) }
        return matching[newest] ? .duplicate(of: newest) : .skip(.newerTry)
    }

    /// The letters of each command.
    private struct Tries {
        private var all: [GUID: [Int]] = [:]
        /// That of the highest generation; of several, the first in the queue.
        private(set) var newest: [GUID: Int] = [:]

        init(_ letters: [KeptLetter]) {
            for (index, letter) in letters.enumerated() {
                guard let command = letter.commandID else { continue }
                all[command, default: []].append(index)
                if let other = newest[command], letters[other].generation >= letter.generation { continue }
                newest[command] = index
            }
        }

        func duplicates(of index: Int, _ letters: [KeptLetter]) -> [Int] {
            guard let command = letters[index].commandID else { return [] }
            return (all[command] ?? []).filter {
                $0 != index && letters[$0].fingerprint == letters[index].fingerprint
            }
        }
    }
}
