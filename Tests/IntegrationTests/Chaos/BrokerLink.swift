import AMQP
import EventLoop
import Logging

/// A way to whichever node of the broker answers, made anew for as long as it is needed.
struct BrokerLink: Sendable {
    let urls: [String]
    let name: String

    /// Runs `body` on one connection after the other, until it returns or throws something else than ``AMQPError``.
    func run<Value: Sendable>(_ body: (AMQPConnection) async throws -> Value) async throws -> Value {
        let loop = EventLoop(name: name)
        defer { loop.stop() }
        var options = AMQPOptions()
        options.heartbeat = .seconds(4)
        while true {
            for url in urls.shuffled() {
                do {
                    let connection = try await AMQPConnection.open(
                        AMQPEndpoint(uri: url),
                        options: options,
                        name: name,
                        loop: loop,
                        logger: .silent
                    )
                    return try await run(body, on: connection)
                } catch is AMQPError {
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }

    private func run<Value: Sendable>(
        _ body: (AMQPConnection) async throws -> Value,
        on connection: AMQPConnection
    ) async throws -> Value {
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.abort()
            throw error
        }
    }
}
