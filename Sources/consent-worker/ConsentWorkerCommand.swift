import ArgumentParser
import Glibc

@main
struct ConsentWorkerCommand: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "consent-worker",
        abstract: "Carries out consent commands from RabbitMQ against Partner Center and Microsoft Graph.",
        discussion: """
            Exit codes: 0 ok, 1 an outcome other than succeeded or a worker that is not well, 64 usage, 69 broker \
            unreachable, 75 wait timed out or interrupted, 78 configuration.
            """,
        version: version,
        subcommands: [
            RunCommand.self, CheckConfigCommand.self, DeclareTopologyCommand.self, PublishCommand.self,
            EventsCommand.self, TokensCommand.self, DeadLettersCommand.self, StatusCommand.self, HealthCommand.self,
            PauseCommand.self, ResumeCommand.self,
        ]
    )

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            leave(.success)
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if !text.isEmpty { Terminal.say(text, to: code.isSuccess ? STDOUT_FILENO : STDERR_FILENO) }
            leave(code)
        }
    }

    /// Ends the process without what `exit` does at its end: OpenSSL's handler takes away what threads still use that
    /// are just ending (seen as a crash in libcrypto in 2 of 1,500 stops).
    private static func leave(_ code: ExitCode) -> Never {
        fflush(nil)
        _exit(code.rawValue)
    }
}
