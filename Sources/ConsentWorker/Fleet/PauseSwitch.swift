package import AMQP
package import ConsentContract
import JSON

/// Pauses and resumes an application for all workers, those that are not running included.
package struct PauseSwitch: Sendable {
    private let connection: AMQPConnection
    private let application: GUID
    private var queue: String { Topology.Name.pauseQueue(application) }

    package init(of application: GUID, on connection: AMQPConnection) {
        self.application = application
        self.connection = connection
    }

    /// - Returns: whether it was not paused before.
    /// - Throws: ``AMQPError``, with reply code 404 if no worker and no `declare-topology` has known the application.
    package func pause() async throws -> Bool {
        let channel = try await connection.openChannel()
        let before = try await channel.declare(AMQPQueue(queue, passive: true)).messages
        try await channel.selectConfirms()
        var properties = AMQPProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 2
        let body: JSONValue = ["pausedAt": .string(SystemWallClock().now.description)]
        let message = AMQPMessage(exchange: "", routingKey: queue, properties: properties, body: body.bytes)
        if case .returned(let reason) = try await channel.publish(message) {
            throw AMQPError(.channelClosed, "the queue \(queue) is gone: \(reason)")
        }
        try await tell(channel)
        return before == 0
    }

    /// - Returns: whether it was paused before.
    package func resume() async throws -> Bool {
        let channel = try await connection.openChannel()
        var wasPaused = false
        while let pause = try await channel.get(queue) {
            pause.ack()
            try await channel.synchronize()
            wasPaused = true
        }
        try await channel.selectConfirms()
        try await tell(channel)
        return wasPaused
    }

    /// Workers that do not hear it find out by themselves after half a minute.
    private func tell(_ channel: AMQPChannel) async throws(AMQPError) {
        _ = try await channel.publish(ControlMessage.operatorPause(application).message(from: "operator"))
        try await channel.close()
    }
}
