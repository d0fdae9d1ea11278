import ArgumentParser
import ConsentContract
import ConsentWorker

/// Which letters a command is about.
struct LetterFilterOptions: ParsableArguments {
    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("Only letters of this category; may be repeated.", valueName: "category"))
    var category: [ErrorCategory] = []

    @Option(help: "Only letters of this partner's tenant ID.")
    var partner: GUID?

    @Option(help: "Only letters about this customer's ID.")
    var customer: GUID?

    @Option(help: "Only letters of this application's ID.")
    var application: GUID?

    @Option(name: .customLong("command-id"), help: "Only letters of the command with this ID.")
    var commandID: GUID?

    @Option(help: "Only what ended at least this long ago: 90s, 15m, 2h, 7d.")
    var olderThan: LetterAge?

    @Option(help: "Only what ended at most this long ago.")
    var newerThan: LetterAge?

    @Option(help: "At most this many, the oldest first.")
    var limit: Int?

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1.") }
        if let olderThan, let newerThan, olderThan.duration > newerThan.duration {
            throw ValidationError("Nothing is both older than \(olderThan) and newer than \(newerThan).")
        }
    }

    var filter: LetterFilter {
        var filter = LetterFilter()
        filter.categories = Set(category.map(\.rawValue))
        filter.partner = partner
        filter.customer = customer
        filter.application = application
        filter.commandID = commandID
        filter.olderThan = olderThan?.duration
        filter.newerThan = newerThan?.duration
        return filter
    }
}

extension ErrorCategory: ExpressibleByArgument {
    /// None, for the help: it is not the place for forty of them.
    public static var allValueStrings: [String] { [] }
}

extension LetterAge: ExpressibleByArgument {
    /// Reads an age as the command line gives it.
    public init?(argument: String) { self.init(argument) }
}
