import ArgumentParser
import ConsentContract
import ConsentWorker
import MicrosoftAPI
import Secrets

struct TokensAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Stores a partner's refresh token, read from standard input. A running worker picks it up.",
        discussion: "Standard input, because arguments can be seen by everybody on the machine."
    )

    @OptionGroup var tokens: TokenOptions

    @Option(help: "The partner's tenant ID.")
    var partner: GUID

    func run() async throws {
        let (_, applications) = try tokens.applications()
        guard applications.count == 1 else {
            throw ValidationError("Several applications are configured; name one with --application.")
        }
        var text = ""
        while let line = readLine() { text += line }
        text = text.filter { !$0.isWhitespace }
        guard !text.isEmpty else { throw ValidationError("No token came on standard input.") }
        let entry = RefreshTokenStore.Entry(token: Secret(text), obtainedAt: SystemWallClock().now)
        let store = RefreshTokenStore(directory: applications[0].refreshTokens)
        do throws(RefreshTokenStore.NotWritten) {
            try store.store(entry, of: partner)
        } catch {
            Terminal.complain("The token was not stored: \(error)")
            throw ExitCode.failure
        }
        Terminal.say("Stored the refresh token of partner \(partner).")
    }
}
