import ArgumentParser

struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publishes one command and, with --wait, shows its result event; with --from, those of a file.",
        discussion: """
            With --from, all commands of a file are checked first; if any is faulty, every fault is named with its line and \
            nothing is published. Then they are published, and their results collected, one JSON object a line.

            The file is CSV with a header line, or JSON lines. Columns: customerId, and where they differ from the options \
            partnerTenantId, applicationId, commandId, correlationId, customerTenantId, displayName, deadline, requestedBy, \
            dryRun, grants (resource=scope,scope;resource=scope). JSON lines: the members of a command's body, and \
            correlationId. What a line does not say is taken from the options.

            Ctrl-C, a crash or a lost broker do no harm: the same command goes on where the run ended. Until then its \
            journal lies next to the results, and a queue in the broker keeps the events that come meanwhile for three days.

            Exit codes: 0 all succeeded, 1 they did not, 64 faults, 69 broker unreachable, 75 interrupted or no event came \
            for --timeout.
            """,
        subcommands: [PublishGrantCommand.self, PublishRevokeCommand.self, PublishQueryCommand.self]
    )
}
