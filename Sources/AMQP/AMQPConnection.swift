package import EventLoop
import Glibc
package import Logging
import Resilience

/// One connection to a broker, from login to its end. It does not come back by itself: ``AMQPConnector`` makes the
/// next one, and everything that belonged to this one (channels, deliveries, acknowledgements) ends with it.
///
/// The actor runs on an event loop's thread, which is the only one that touches librabbitmq.
package actor AMQPConnection: EventSource {
    /// The connection's thread, for tasks that mostly work with it.
    package nonisolated let loop: EventLoop
    private let options: AMQPOptions
    private let logger: Logger
    private let onBlocked: @Sendable (Bool) -> Void
    private nonisolated let outbox = Outbox()
    private var handle: ConnectionHandle?
    private var channels: [UInt16: ChannelState] = [:]
    private var nextChannelID: UInt64 = 1
    private var nextConsumer = 1
    private var closedWaiters: [OneShot<AMQPError?>] = []
    private var failure: AMQPError?
    private var unsent: [Outbox.Entry] = []
    private var endpoint: AMQPEndpoint?
    private var isBlocked = false
    private var lastReceive = ContinuousClock.now
    private var heartbeat = Duration.zero
    private var pauseWatchers = 0
    private var lastTurn = ContinuousClock.now

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Not connected yet.
    init(
        loop: EventLoop,
        options: AMQPOptions,
        logger: Logger,
        onBlocked: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
        self.loop = loop
        self.options = options
        self.logger = logger
        self.onBlocked = onBlocked
    }

    /// Connects and logs in. The loop's thread is blocked meanwhile, for at most the connect timeout a step.
    /// - Parameters:
    ///   - name: shown in the broker's management.
    ///   - onBlocked: told on the loop's thread when the broker stops and again starts to take messages.
    package static func open(
        _ endpoint: AMQPEndpoint,
        options: AMQPOptions,
        name: String,
        loop: EventLoop,
        logger: Logger,
        onBlocked: @escaping @Sendable (Bool) -> Void = { _ in }
    ) async throws(AMQPError) -> AMQPConnection {
        let connection = AMQPConnection(loop: loop, options: options, logger: logger, onBlocked: onBlocked)
        try await connection.start(endpoint, name: name)
        return connection
    }

    private func start(_ endpoint: AMQPEndpoint, name: String) throws(AMQPError) {
        handle = try ConnectionHandle.open(endpoint, options, name: name)
        heartbeat = handle?.heartbeat ?? .zero
        self.endpoint = endpoint
        loop.attach(self)
    }

    // MARK: - Used by others

    /// Returns when the connection has ended, with the reason.
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    package func waitUntilClosed() async throws(CancellationError) -> AMQPError {
        if let failure { return failure }
        let closed = OneShot<AMQPError?>()
        closedWaiters.append(closed)
        guard let reason = await closed.wait(orWhenCancelled: nil) else { throw CancellationError() }
        return reason
    }

    /// A longer stand of the whole process is found by ``watchForPauses()``.
    package static let longestPause = Duration.seconds(1)

    /// From now on the connection ends when this process is found to have stood still for over ``longestPause``
    /// (stopped, or the machine asleep), before anything that came meanwhile is handed over: the broker may have
    /// given it to others. Costs a few wake-ups a second; ended by ``endWatchForPauses()``.
    package func watchForPauses() {
        if pauseWatchers == 0 { lastTurn = .now }
        pauseWatchers += 1
        loop.wake()
    }

    package func endWatchForPauses() { pauseWatchers -= 1 }

    /// Returns as soon as the connection's thread has a turn: proof that it does.
    package func ping() {}

    /// Sends what is queued, says goodbye to the broker and ends. Unsettled deliveries go back to their queues.
    package func close() {
        guard let handle else { return }
        do {
            try flush(handle)
            handle.close(timeout: .seconds(2))
        } catch {
            logger.debug("connection lost while closing", metadata: ["error": "\(error)"])
        }
        fail(AMQPError(.connectionLost, "the connection was closed"))
    }

    /// Closes the connection and ends its thread, which it has for itself. What is asked of it afterwards never returns.
    package nonisolated func retire() async {
        await close()
        loop.stop()
    }

    /// Ends the connection without a goodbye.
    ///
    /// Unsettled deliveries go back to quorum queues in their order. After a polite close, or a cancelled consumer,
    /// those that were just on their way to this client come back before older ones (seen on RabbitMQ 3.10): order
    /// then depends on leaving abruptly.
    package func abort(_ reason: AMQPError = AMQPError(.connectionLost, "the connection was closed")) {
        fail(reason)
    }

    /// Opens a channel.
    package func openChannel() async throws(AMQPError) -> AMQPChannel {
        guard let number = (1...2047).first(where: { channels[$0] == nil }) else {
            throw AMQPError(.channelClosed, "all 2047 channels of the connection are in use")
        }
        let channel = AMQPChannel(connection: self, number: number, id: nextChannelID)
        nextChannelID += 1
        channels[number] = ChannelState(id: channel.id, maximumBodyBytes: options.maximumBodyBytes)
        _ = try await request(.channelOpen, on: channel)
        return channel
    }

    nonisolated func send(_ operation: Outbox.Operation, on channel: AMQPChannel) {
        let entry = Outbox.Entry(channel: channel.number, channelID: channel.id, operation: operation)
        switch outbox.append(entry) {
        case .first: loop.wake()
        case .further: break
        case .refused: Self.drop(entry, AMQPError(.connectionLost, "the connection to the broker was lost"))
        }
    }

    func request(_ request: Request, on channel: AMQPChannel) async throws(AMQPError) -> ChannelState.Reply {
        guard let handle, let state = state(channel.number, channel.id) else { throw gone }
        let reply = OneShot<Result<ChannelState.Reply, AMQPError>>()
        state.replies.append(.init(reply: reply, deadline: .now + options.replyTimeout))
        if case .qos(let prefetch) = request { state.prefetch = prefetch }
        // Behind what was sent before it, which may have to wait for the socket.
        unsent += outbox.take()
        unsent.append(Outbox.Entry(channel: channel.number, channelID: channel.id, operation: .request(request)))
        do {
            try flush(handle)
        } catch {
            fail(error)
        }
        return try await reply.wait().get()
    }

    func consume(_ queue: String, exclusive: Bool, on channel: AMQPChannel) async throws(AMQPError) -> AMQPConsumer {
        guard let state = state(channel.number, channel.id) else { throw gone }
        let tag = "consumer-\(nextConsumer)"
        nextConsumer += 1
        // Unbounded, but the broker is held to the prefetch.
        let (deliveries, continuation) = AsyncThrowingStream.makeStream(of: [AMQPDelivery].self)
        // Before the answer: deliveries may come in the same read.
        state.consumers[tag] = continuation
        state.consumerStarted()
        do {
            _ = try await request(.consume(queue: queue, tag: tag, exclusive: exclusive), on: channel)
        } catch {
            state.consumers[tag] = nil
            throw error
        }
        return AMQPConsumer(channel: channel, tag: tag, deliveries: deliveries)
    }

    func endDeliveries(of tag: String, on channel: AMQPChannel) {
        guard let state = state(channel.number, channel.id) else { return }
        state.handOverBatches()
        state.consumers.removeValue(forKey: tag)?.finish()
    }

    func close(_ channel: AMQPChannel) async throws(AMQPError) {
        guard state(channel.number, channel.id) != nil else { return }
        _ = try await request(.channelClose, on: channel)
        guard let state = state(channel.number, channel.id) else { return }
        channels[channel.number] = nil
        state.fail(AMQPError(.channelClosed, "the channel was closed"))
    }

    // MARK: - The loop

    package nonisolated func turn(wakeup: CInt, mayWait: Bool) {
        assumeIsolated { connection in
            do throws(AMQPError) {
                try connection.takeTurn(wakeup: wakeup, mayWait: mayWait)
            } catch {
                connection.fail(error)
            }
        }
    }

    private func takeTurn(wakeup: CInt, mayWait: Bool) throws(AMQPError) {
        guard let handle else { return }
        try checkPause()
        // librabbitmq 0.11 blocks for ever in a publish while the peer's heartbeat is overdue: after a pause (a
        // stopped process, a busy machine) the socket is read first.
        let isLate = ContinuousClock.now - lastReceive > .milliseconds(500)
        if isLate { try receive(handle) }
        try flush(handle)
        // What was received late may have made jobs of this loop ready: they come first.
        if mayWait && !isLate && outbox.isEmpty && !handle.hasBufferedFrames {
            let milliseconds = waitMilliseconds()
            if unsent.isEmpty {
                handle.wait(wakeup: wakeup, milliseconds: milliseconds)
            } else {
                handle.waitWritable(wakeup: wakeup, milliseconds: milliseconds)
            }
            try checkPause()
        }
        try receive(handle)
        try checkDeadlines()
    }

    /// Half a heartbeat, so that ours go out in time, or the next answer's deadline.
    private func waitMilliseconds() -> CInt {
        // Zero stands for none.
        var wait = heartbeat == .zero ? options.heartbeat : heartbeat / 2
        if let deadline = nextDeadline { wait = min(wait, deadline - .now) }
        if pauseWatchers > 0 { wait = min(wait, Self.longestPause / 4) }
        return CInt(clamping: max(0, wait.milliseconds + 1))
    }

    private func checkPause() throws(AMQPError) {
        guard pauseWatchers > 0 else { return }
        let now = ContinuousClock.now
        defer { lastTurn = now }
        guard now - lastTurn > Self.longestPause else { return }
        throw AMQPError(.connectionLost, "this process stood still for \((now - lastTurn).milliseconds) ms")
    }

    private var nextDeadline: ContinuousClock.Instant? {
        channels.values.compactMap { $0.replies.first?.deadline }.min()
    }

    private func checkDeadlines() throws(AMQPError) {
        guard let deadline = nextDeadline, deadline < .now else { return }
        throw AMQPError(.timedOut, "the broker left a request unanswered for \(options.replyTimeout)")
    }

    /// Sends what other threads queued, as far as the socket takes it.
    private func flush(_ handle: ConnectionHandle) throws(AMQPError) {
        if unsent.isEmpty { unsent = outbox.take() } else { unsent += outbox.take() }
        guard !unsent.isEmpty else { return }
        // librabbitmq writes each frame by itself: together they make one packet.
        let isBatch = unsent.count > 2
        if isBatch { handle.cork(true) }
        var sent = 0
        // How much more may go before the next look at the socket: one that takes any has room for this.
        var room = 0
        while sent < unsent.count, room > 0 || handle.isWritable {
            if room <= 0 { room = 16_384 }
            let entry = unsent[sent]
            try send(entry, handle)
            room -= entry.operation.bytes
            sent += 1
        }
        if sent == unsent.count { unsent = [] } else { unsent.removeFirst(sent) }
        if isBatch { handle.cork(false) }
    }

    private func send(_ entry: Outbox.Entry, _ handle: ConnectionHandle) throws(AMQPError) {
        guard let state = state(entry.channel, entry.channelID) else { return Self.drop(entry, gone) }
        switch entry.operation {
        case .publish(let message, let confirm):
            state.confirms.published(message, waiter: confirm)
            try handle.publish(message, channel: entry.channel)
        case .ack(let tag):
            state.settled()
            try handle.ack(tag, channel: entry.channel)
        case .reject(let tag, let requeue):
            state.settled()
            try handle.reject(tag, requeue: requeue, channel: entry.channel)
        case .request(let request):
            try handle.send(request, channel: entry.channel)
        }
    }

    private static func drop(_ entry: Outbox.Entry, _ error: AMQPError) {
        if case .publish(_, let confirm) = entry.operation { confirm.resolve(.failure(error)) }
    }

    private func receive(_ handle: ConnectionHandle) throws(AMQPError) {
        lastReceive = .now
        var received = 0
        // Bounded, so that a fast broker does not keep jobs and acknowledgements waiting.
        while received < 256, let frame = try handle.nextFrame() {
            received += 1
            try process(frame)
            guard self.handle != nil else { return }
        }
        for state in channels.values { state.handOverBatches() }
    }

    private func process(_ frame: Frame) throws(AMQPError) {
        if frame.channel == 0 { return try processConnection(frame) }
        guard let state = channels[frame.channel] else {
            // The answer to a close of ours that crossed one of the broker's.
            if case .method(.channelCloseOk) = frame.payload { return }
            throw AMQPError(
                .protocolViolation,
                "the broker broke the protocol: a frame came on channel \(frame.channel), which is not open"
            )
        }
        switch frame.payload {
        case .method(let method):
            try state.assembler.expectNoContent()
            try process(method, frame.channel, state)
        case .header(let size, let properties):
            if let message = try state.assembler.header(bodySize: size, properties) {
                try finish(message, frame.channel, state)
            }
        case .body(let bytes):
            if let message = try state.assembler.body(bytes) { try finish(message, frame.channel, state) }
        }
    }

    private func processConnection(_ frame: Frame) throws(AMQPError) {
        guard case .method(let method) = frame.payload else { return }
        switch method {
        case .connectionBlocked(let reason):
            guard !isBlocked else { return }
            isBlocked = true
            logger.warning("the broker takes no messages for now", metadata: ["reason": "\(withoutPassword(reason))"])
            onBlocked(true)
        case .connectionUnblocked:
            guard isBlocked else { return }
            isBlocked = false
            logger.notice("the broker takes messages again")
            onBlocked(false)
        case .connectionClose(let code, let text):
            try handle?.send(.connectionCloseOk, channel: 0)
            throw AMQPError(
                .connectionLost,
                "the broker closed the connection: \(withoutPassword(text))",
                replyCode: code
            )
        default: break
        }
    }

    private func process(_ method: Method, _ number: UInt16, _ state: ChannelState) throws(AMQPError) {
        switch method {
        case .deliver(let deliver): try state.assembler.begin(.delivery(deliver))
        case .getOk(let deliver): try state.assembler.begin(.got(deliver))
        case .returned(let code, let text, let exchange, let key):
            try state.assembler.begin(
                .returned(replyCode: code, replyText: text, exchange: exchange, routingKey: key)
            )
        case .ack(let tag, let multiple):
            for entry in try settled(state, tag, multiple) {
                let outcome = entry.returnReason.map { AMQPChannel.PublishOutcome.returned(reason: $0) } ?? .confirmed
                entry.waiter.resolve(.success(outcome))
            }
        case .nack(let tag, let multiple):
            for entry in try settled(state, tag, multiple) {
                entry.waiter.resolve(.failure(AMQPError(.nacked, "the broker refused the message")))
            }
        case .consumerCancelled(let tag):
            state.handOverBatches()
            let error = AMQPError(.consumerCancelled, "the broker cancelled the consumer; was its queue deleted?")
            state.consumers.removeValue(forKey: tag)?.finish(throwing: error)
        case .channelClose(let code, let text):
            try handle?.send(.channelCloseOk, channel: number)
            channels[number] = nil
            let words = withoutPassword(text)
            state.fail(AMQPError(.channelClosed, "the broker closed the channel: \(words)", replyCode: code))
        case .unknown(let id):
            throw AMQPError(.protocolViolation, "the broker sent method \(id), which this client does not know")
        default: try state.answer(.method(method))
        }
    }

    private func withoutPassword(_ words: String) -> String { endpoint?.withoutPassword(words) ?? words }

    private func settled(
        _ state: ChannelState,
        _ tag: UInt64,
        _ multiple: Bool
    ) throws(AMQPError) -> [(waiter: OneShot<ChannelState.Confirm>, returnReason: String?)] {
        guard let settled = state.confirms.settled(tag: tag, multiple: multiple) else {
            throw AMQPError(.protocolViolation, "the broker confirmed a message that was never published")
        }
        return settled
    }

    private func finish(_ message: ContentAssembler.Message, _ number: UInt16, _ state: ChannelState)
        throws(AMQPError)
    {
        switch message.content {
        case .delivery(let deliver):
            try state.delivered()
            state.batches[deliver.consumerTag, default: []].append(delivery(deliver, message, number, state))
        case .got(let deliver):
            try state.answer(.message(delivery(deliver, message, number, state)))
        case .returned(let code, let text, let exchange, let key):
            state.confirms.returned(
                reason: "\(code) \(text)",
                exchange: exchange,
                routingKey: key,
                messageID: message.properties.messageID
            )
        }
    }

    private func delivery(
        _ deliver: Method.Deliver,
        _ message: ContentAssembler.Message,
        _ number: UInt16,
        _ state: ChannelState
    ) -> AMQPDelivery {
        AMQPDelivery(
            channel: AMQPChannel(connection: self, number: number, id: state.id),
            tag: deliver.tag,
            redelivered: deliver.redelivered,
            exchange: deliver.exchange,
            routingKey: deliver.routingKey,
            properties: message.properties,
            body: message.body
        )
    }

    // MARK: - The end

    private var gone: AMQPError { failure ?? AMQPError(.channelClosed, "the channel is closed") }

    private func state(_ number: UInt16, _ id: UInt64) -> ChannelState? {
        guard let state = channels[number], state.id == id else { return nil }
        return state
    }

    private func fail(_ error: AMQPError) {
        guard failure == nil else { return }
        failure = error
        loop.attach(nil)
        handle = nil
        for entry in unsent + outbox.close() { Self.drop(entry, error) }
        unsent = []
        for state in channels.values { state.fail(error) }
        channels = [:]
        for waiter in closedWaiters { waiter.resolve(error) }
        closedWaiters = []
    }
}
