import ArgumentParser
import ConsentContract
import ConsentWorker
import HTTP
import Logging
import MicrosoftAPI
import Resilience

struct TokensCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Redeems each refresh token at its partner's tenant and says which are accepted.",
        discussion: "Exit code 1 if any is not. A token that Microsoft replaced is written back."
    )

    @OptionGroup var tokens: TokenOptions

    @Option(help: "Only this partner's.")
    var partner: GUID?

    func run() async throws {
        let (configuration, applications) = try tokens.applications()
        let client = HTTPClient(options: HTTPOptions(configuration))
        let gate = ConcurrencyGate(limit: configuration.identityConcurrency)
        let logger = Logger(label: "consent-worker") { _ in SwiftLogNoOpLogHandler() }
        var refused = 0
        for application in applications {
            let provider = TokenProvider(application, configuration, client, gate, nil, logger)
            let store = RefreshTokenStore(directory: application.refreshTokens)
            for partner in partner.map({ [$0] }) ?? store.partners {
                var state = "accepted"
                do {
                    try await provider.redeem(partner: partner)
                } catch let error as TokenFailure {
                    refused += 1
                    state = Self.words(error)
                }
                Terminal.say("\(application.applicationID)  \(partner)  \(state)")
            }
        }
        await client.shutdown()
        if refused > 0 { throw ExitCode.outcome }
    }

    private static func words(_ failure: TokenFailure) -> String {
        if case .misconfigured(let error) = failure.verdict {
            let code = error.code.map { " (\($0))" } ?? ""
            return
                "credentials refused: \(error.message)\(code) Correct clientSecretFile, or certificateFile and privateKeyFile."
        }
        return failure.error.map { "\($0.category.rawValue): \($0.message) \($0.category.remedy)" } ?? "refused"
    }
}
