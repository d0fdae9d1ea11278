import AMQP
import ArgumentParser
import ConsentContract
import ConsentWorker
import JSON
import MicrosoftAPI
import RateLimiting
import Resilience

/// `publish --from`: checks the input, goes on where an interrupted run ended or begins one, and says what came of it.
struct BulkPublish {
    let options: BulkOptions
    let template: CommandTemplate
    let configuration: Configuration
    let isDryRun: Bool
    let timeout: Duration
    let asJSON: Bool

    func run(_ file: String) async throws {
        do {
            let plan = try readPlan(file)
            let path = options.results(of: file, isDryRun: isDryRun)
            let journalPath = BulkJournal.path(nextTo: path)
            // Results are there before the journal is.
            guard LineFile.exists(path) || !LineFile.exists(journalPath) else {
                throw BulkFailure.usage(
                    "The results of an interrupted run are gone. To begin anew, remove \(journalPath) as well."
                )
            }
            let results = try ResultFile(path)
            let journal = try BulkJournal(journalPath, fingerprint: plan.fingerprint)
            guard journal != nil || results.entries.isEmpty else {
                throw BulkFailure.usage(
                    "\(results.path) has the results of a run that is complete. Remove it, or name another with --results."
                )
            }
            try await Interrupt.run { interrupt in
                try await BrokerSession.run(configuration) { session in
                    try await publish(plan, results, journal, session.connection, interrupt)
                }
            }
        } catch let failure as BulkFailure {
            Terminal.complain("\(failure)")
            throw failure.exitCode
        }
    }

    private func readPlan(_ file: String) throws -> BulkPlan {
        guard let format = options.format(of: file) else { throw ExitCode.validationFailure }
        let input = BulkInput(try BulkInput.bytes(of: file), format)
        let plan = BulkPlan(input, template)
        let name = file == "-" ? "the input" : file
        guard plan.faults.isEmpty else {
            let faults = plan.faults.text(ofLines: input.rows.count).map { "\n  \($0)" }
            let number = faults.count == 1 ? "a fault" : "\(faults.count) faults"
            throw BulkFailure.usage("\(name) has \(number); nothing is published:\(faults.joined())")
        }
        guard !plan.items.isEmpty else { throw BulkFailure.usage("\(name) has no commands.") }
        if !input.ignored.isEmpty {
            Terminal.complain("ignored, as no command has them: \(input.ignored.joined(separator: ", "))")
        }
        return plan
    }

    private func publish(
        _ plan: BulkPlan,
        _ results: ResultFile,
        _ begun: BulkJournal?,
        _ connection: AMQPConnection,
        _ interrupt: DrainSignal
    ) async throws {
        var begun = begun
        let job = begun?.job ?? .random()
        let queue = BulkQueue(of: job)
        try await forgetLost(&begun, results, queue, connection)
        let backlog = try await queue.declare(on: connection, plan.template.kind, Set(plan.items.map(\.application)))
        if begun == nil { results.removePages() }
        // Only now: a journal means that something may have been published.
        let path = BulkJournal.path(nextTo: results.path)
        let journal = try begun ?? BulkJournal(beginning: job, fingerprint: plan.fingerprint, at: path)
        var run = BulkRun(
            plan,
            journal,
            results,
            window: options.window,
            timeout: timeout,
            limits: limits(plan),
            backlog: backlog
        )
        if begun != nil {
            let (ended, underWay) = (run.window.ended, run.window.underWay)
            Terminal.complain("going on: \(ended) of \(plan.items.count) have their result, \(underWay) are under way")
        }
        let ending: BulkRun.Ending
        do {
            ending = try await run.run(on: connection, queue, until: interrupt)
            if ending == .complete {
                try run.finish()
                try await queue.delete(on: connection)
                run.journal.remove()
            }
        } catch {
            // What has been done is told in any case.
            report(run, isInterrupted: true)
            Terminal.complain(goOn(run))
            throw error
        }
        report(run, isInterrupted: ending != .complete)
        try conclude(run, ending)
    }

    /// Commands whose events can no longer be had are published again.
    private func forgetLost(
        _ journal: inout BulkJournal?,
        _ results: ResultFile,
        _ queue: BulkQueue,
        _ connection: AMQPConnection
    ) async throws {
        guard let lost = journal?.published.subtracting(results.entries.keys), !lost.isEmpty else { return }
        if !options.republish {
            guard try await !queue.exists(on: connection) else { return }
            Terminal.complain(
                "the queue with this run's events is gone; published again with the same IDs: \(lost.count)"
            )
        }
        try journal?.forgetPublished()
    }

    /// What the limits let through in a second.
    private func limits(_ plan: BulkPlan) -> [GUID: Double] {
        guard !plan.items.contains(where: \.isDryRun) else { return [:] }
        var limits: [GUID: Double] = [:]
        for application in configuration.applications {
            guard let limit = application.limit(for: plan.template.kind == .query ? .graph : .partnerCenter) else {
                continue
            }
            limits[application.applicationID] = Double(limit.rate.requests) / (limit.rate.rest / .seconds(1))
        }
        return limits
    }

    private func report(_ run: BulkRun, isInterrupted: Bool) {
        let tally = BulkTally(run.results.entries.values, of: run.window.count, underWay: run.window.underWay)
        let path = run.results.path
        let json = { tally.json(results: path, isInterrupted: isInterrupted).text }
        Terminal.say(asJSON ? json() : tally.text(results: path))
    }

    private func conclude(_ run: BulkRun, _ ending: BulkRun.Ending) throws {
        switch ending {
        case .complete where run.results.notSucceeded == 0: return
        case .complete: throw ExitCode.outcome
        case .interrupted: Terminal.complain("interrupted. \(goOn(run))")
        case .timedOut: Terminal.complain("no event came for \(timeout.words): does a worker run? \(goOn(run))")
        }
        throw ExitCode.timedOut
    }

    private func goOn(_ run: BulkRun) -> String {
        let days = BulkQueue.expiry.components.seconds / 86_400
        return "Under way: \(run.window.underWay); their events are kept for \(days) days. "
            + "Run the same command again to go on."
    }
}
