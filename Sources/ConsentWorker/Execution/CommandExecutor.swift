import ConsentContract
import JSON
import MicrosoftAPI

/// Carries a command out: plans its requests, and has them executed unless it is a dry run.
struct CommandExecutor: Sendable {
    let requests: RequestExecutor
    let endpoints: Endpoints
    let queryBounds: Configuration.QueryBounds

    /// - Parameter emit: publishes a page of an answer that is too large for the command's event.
    /// - Throws: `CancellationError` when the command is to go back to its queue.
    func execute(
        _ command: Command,
        _ message: ReceivedMessage,
        ledger: inout Ledger,
        emit: @escaping AnswerPages.Emit
    ) async throws -> CommandResult {
        let step = step(of: command)
        if command.dryRun {
            if let error = requests.expiry(of: command) { return .ended(error) }
            let identity = RequestIdentity(
                requestID: Identifiers.request(
                    command: command.commandID,
                    generation: message.generation,
                    step: step,
                    number: 0
                ),
                correlationID: Identifiers.correlation(message.correlationID ?? command.commandID.description),
                trace: message.traceContext
            )
            return .succeeded(.planned, result: ["requests": [first(command, identity).json]])
        }
        let answer = try await requests.execute(command, message, step: step, ledger: &ledger) { identity in
            first(command, identity)
        }
        switch (answer, command.action) {
        case (.ended(let result), _): return result
        case (.succeeded(_, let response), .query(let query)):
            var reader = QueryReader(
                requests: requests,
                endpoints: endpoints,
                bounds: queryBounds,
                command: command,
                message: message,
                emit: emit
            )
            return try await reader.read(query, first: response, ledger: &ledger)
        case (.succeeded(let effect, _), _): return .succeeded(effect)
        }
    }

    private func step(of command: Command) -> String {
        switch command.action {
        case .grant: "grant"
        case .revoke: "revoke"
        case .query: "query/0"
        }
    }

    private func first(_ command: Command, _ identity: RequestIdentity) -> APIRequest {
        switch command.action {
        case .grant(let grants): PartnerCenterRequests.grant(grants, command: command, at: endpoints, as: identity)
        case .revoke: PartnerCenterRequests.revoke(command: command, at: endpoints, as: identity)
        case .query(let query): GraphRequests.first(query, tenant: command.tenantID, at: endpoints, as: identity)
        }
    }
}
