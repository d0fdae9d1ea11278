package import ConsentContract

/// Which letters are meant: those that have everything that is asked for.
package struct LetterFilter: Sendable, Hashable {
    /// Any of these; empty for all.
    package var categories: Set<String> = []
    package var commandID: GUID?
    package var partner: GUID?
    package var customer: GUID?
    package var application: GUID?
    package var olderThan: Duration?
    package var newerThan: Duration?

    package init() {}

    /// Whether it lets everything through.
    package var isEmpty: Bool { self == LetterFilter() }

    package func matches(_ letter: KeptLetter, at now: Timestamp) -> Bool {
        func fits(_ wanted: GUID?, _ found: GUID?) -> Bool { wanted == nil || wanted == found }
        guard categories.isEmpty || categories.contains(letter.category), fits(commandID, letter.commandID),
            fits(partner, letter.partner), fits(customer, letter.customer), fits(application, letter.application)
        else { return false }
        guard olderThan != nil || newerThan != nil else { return true }
        // A letter without a time has no age to be judged by.
        guard let age = letter.age(at: now) else { return false }
        return age >= olderThan ?? age && age <= newerThan ?? age
    }
}
