import ArgumentParser

/// Options of publishing many commands.
struct BulkOptions: ParsableArguments {
    @Option(
        help: """
            Publish the commands of this file, or of standard input for -, and collect their results. Columns or members \
            that it lacks are taken from the other options.
            """,
        completion: .file()
    )
    var from: String?

    @Option(help: "How the file is written; by default its extension says it (.csv, .jsonl, .ndjson).")
    var format: BulkFormat?

    @Option(
        help: "Where the results go, one JSON object a line; by default next to the file, as <name>.results.jsonl.",
        completion: .file()
    )
    var results: String?

    @Option(help: "With --from: how many commands are under way at a time; others' commands wait behind them.")
    var window = 200

    @Flag(help: "With --from: publish again, with the same IDs, what an interrupted run published and has no result.")
    var republish = false

    func validate() throws {
        guard (1...10_000).contains(window) else { throw ValidationError("--window must be from 1 to 10000.") }
        guard let from else {
            if results != nil || format != nil || republish {
                throw ValidationError("--results, --format and --republish belong to --from.")
            }
            return
        }
        if from == "-", results == nil {
            throw ValidationError(
                "Name a file for the results with --results; standard input has no name to derive it from."
            )
        }
        if format == nil, BulkFormat(ofFile: from) == nil {
            throw ValidationError("Say with --format whether \(from) holds csv or jsonl.")
        }
    }

    func format(of file: String) -> BulkFormat? { format ?? BulkFormat(ofFile: file) }

    /// A dry run has results of its own, so that it does not stand in the way of the real one.
    func results(of file: String, isDryRun: Bool) -> String {
        if let results { return results }
        let isKnown = BulkFormat(ofFile: file) != nil
        let base =
            isKnown
            ? file.split(separator: ".", omittingEmptySubsequences: false).dropLast().joined(separator: ".") : file
        return base + (isDryRun ? ".dry-run.jsonl" : ".results.jsonl")
    }
}
