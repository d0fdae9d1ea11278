import AMQP
import ArgumentParser
import ConsentWorker
import EventLoop
import Logging

/// A connection for one command of the command line.
struct BrokerSession {
    let connection: AMQPConnection

    /// Connects, runs `body`, closes. What the broker refuses becomes one sentence and an exit code.
    static func run(_ configuration: Configuration, _ body: (BrokerSession) async throws -> Void) async throws {
        let logger = Logger(label: "consent-worker") { _ in SwiftLogNoOpLogHandler() }
        let connector = AMQPConnector(
            name: "command line",
            endpoints: configuration.brokers,
            options: configuration.amqp,
            logger: logger
        )
        let loop = EventLoop(name: "amqp")
        defer { loop.stop() }
        do {
            let connection = try await connector.connect(on: loop)
            do {
                try await body(BrokerSession(connection: connection))
                await connection.close()
            } catch {
                await connection.close()
                throw error
            }
        } catch let error as AMQPError {
            Terminal.complain(explanation(error))
            throw ExitCode.unreachable
        } catch let error as TopologyMismatch {
            Terminal.complain("\(error)")
            throw ExitCode.configuration
        }
    }

    private static func explanation(_ error: AMQPError) -> String {
        switch error.code {
        case .unreachable: "\(error). Start the broker or correct amqp.url."
        case .accessRefused: "\(error). Correct user, password and virtual host in amqp.url."
        case .channelClosed where error.replyCode == AMQPReplyCode.notFound:
            "\(error). Start a worker or run declare-topology first."
        default: "\(error)"
        }
    }
}
