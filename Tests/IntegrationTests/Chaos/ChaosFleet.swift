import Foundation
import NIOConcurrencyHelpers

/// The workers of a run, by number. Each has its own way to the broker, where that can be cut, and its own wall clock.
final class ChaosFleet: Sendable {
    /// What is the same for all workers that come one after the other under a number.
    private struct Place: Sendable {
        let way: CutOff?
        let clock: WallClockOffset
        var worker: WorkerProcess?
    }

    private let scene: Scene
    private let places: NIOLockedValueBox<[Place]>
    private let problemsFound = NIOLockedValueBox<[String]>([])

    /// - Parameter port: of the only broker; none where there are several.
    init(_ scene: Scene, workers: Int, through port: Int?) async throws {
        self.scene = scene
        let library = try await WallClockOffset.library(in: scene.folder)
        places = NIOLockedValueBox(
            try (0..<workers).map { number in
                Place(
                    way: try port.map { try CutOff(to: $0) },
                    clock: try WallClockOffset(library: library, file: "\(scene.folder)/wall-clock-\(number)")
                )
            }
        )
    }

    /// What workers did that they should not.
    var problems: [String] { problemsFound.withLockedValue { $0 } }

    /// Those that should be running now.
    var running: [(number: Int, worker: WorkerProcess)] {
        places.withLockedValue { $0.enumerated().compactMap { place in place.1.worker.map { (place.0, $0) } } }
    }

    func start(_ number: Int, waitUntilReady: Bool = false) async throws {
        let place = self[number]
        var environment = place.clock.environment
        if let way = place.way { environment["CONSENT_AMQP_URL"] = way.url }
        let worker = try await scene.startWorker(waitUntilReady: waitUntilReady, environment: environment)
        places.withLockedValue { $0[number].worker = worker }
    }

    func kill(_ number: Int) async { await take(number)?.kill() }

    /// SIGTERM: whatever the worker is in the middle of, it has to end well.
    func stop(_ number: Int) async {
        guard let worker = take(number) else { return }
        let status = await worker.stop()
        if status != 0 { note("worker \(number) ended with \(status) when it was stopped: \(worker.log.suffix(2000))") }
    }

    func pause(_ number: Int) { self[number].worker?.suspend() }

    func resume(_ number: Int) { self[number].worker?.resume() }

    func cutOff(_ number: Int) { self[number].way?.cut() }

    func reconnect(_ number: Int) { self[number].way?.heal() }

    func breakConnections(of number: Int) { self[number].way?.hangUp() }

    func setClock(of number: Int, wrongBy seconds: Int) throws { try self[number].clock.set(seconds: seconds) }

    /// Notes whoever has ended by itself, and starts another in its place.
    func lookAfter() async throws {
        for (number, worker) in running where !worker.isRunning {
            note("worker \(number) ended by itself: \(worker.log.suffix(3000))")
            try await start(number)
        }
    }

    func stopAll() async {
        await withTaskGroup { group in
            for (number, _) in running { group.addTask { await self.stop(number) } }
        }
        for place in places.withLockedValue({ $0 }) { place.way?.stop() }
    }

    private subscript(number: Int) -> Place { places.withLockedValue { $0[number] } }

    private func take(_ number: Int) -> WorkerProcess? {
        places.withLockedValue { places in
            defer { places[number].worker = nil }
            return places[number].worker
        }
    }

    private func note(_ problem: String) { problemsFound.withLockedValue { $0.append(problem) } }
}
