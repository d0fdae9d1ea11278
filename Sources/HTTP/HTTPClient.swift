package import EventLoop
import NIOConcurrencyHelpers
import Resilience

/// Sends requests over kept connections on one dedicated thread. Never repeats a request by itself.
package actor HTTPClient: EventSource {
    private enum Order: Sendable {
        case start(Transfer)
        case cancel(Transfer)
    }

    private struct Inbox {
        var orders: [Order] = []
        var isClosed = false
    }

    package nonisolated let loop: EventLoop
    private nonisolated let options: HTTPOptions
    private nonisolated let durations = RequestDurations()
    private nonisolated let inbox = NIOLockedValueBox(Inbox())
    private var handle: MultiHandle?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Starts the client's thread; it ends with ``shutdown()``.
    package init(options: HTTPOptions = HTTPOptions()) {
        self.options = options
        loop = EventLoop(name: "http")
        loop.attach(self)
    }

    /// Sends a request and returns the answer, whatever its status.
    ///
    /// Cancelling the task aborts the request; whether it took effect is then unknown if the error says it was sent.
    package nonisolated func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let started = ContinuousClock.now
        let transfer = Transfer(request, limits: options)
        if Task.isCancelled {
            transfer.cancel()
        } else {
            give(.start(transfer))
        }
        let result = await transfer.completion.wait(onCancel: { give(.cancel(transfer)) })
        durations.record(request, result, took: ContinuousClock.now - started)
        return try result.get()
    }

    /// Cancels what is on its way and ends the thread. Later requests fail at once.
    package func shutdown() {
        let orders = inbox.withLockedValue { inbox in
            defer { inbox = Inbox(isClosed: true) }
            return inbox.orders
        }
        for case .start(let transfer) in orders { transfer.cancel() }
        handle = nil
        loop.attach(nil)
        loop.stop()
    }

    /// Returns as soon as the client's thread has a turn: proof that it does.
    package func ping() {}

    private nonisolated func give(_ order: Order) {
        let (accepted, isFirst) = inbox.withLockedValue { inbox in
            guard !inbox.isClosed else { return (false, false) }
            inbox.orders.append(order)
            return (true, inbox.orders.count == 1)
        }
        if isFirst { loop.wake() }
        if !accepted, case .start(let transfer) = order { transfer.cancel() }
    }

    package nonisolated func turn(wakeup: CInt, mayWait: Bool) {
        assumeIsolated { $0.takeTurn(wakeup: wakeup, mayWait: mayWait) }
    }

    private func takeTurn(wakeup: CInt, mayWait: Bool) {
        let handle = self.handle ?? MultiHandle(options)
        self.handle = handle
        let orders = inbox.withLockedValue { inbox in
            defer { inbox.orders = [] }
            return inbox.orders
        }
        for order in orders {
            switch order {
            case .start(let transfer): handle.start(transfer)
            case .cancel(let transfer): handle.cancel(transfer)
            }
        }
        handle.turn(wakeup: wakeup, mayWait: mayWait && inbox.withLockedValue { $0.orders.isEmpty })
    }
}
