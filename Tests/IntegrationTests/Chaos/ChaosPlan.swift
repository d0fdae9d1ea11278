import TestSupport

/// What goes wrong and when: the same for the same seed, so that a failing run can be repeated.
struct ChaosPlan: Sendable, Hashable, CustomStringConvertible {
    struct Step: Sendable, Hashable {
        /// Seconds after the start.
        let at: Double
        let disturbance: Disturbance
    }

    /// How rough it gets.
    struct Weather: Sendable, Hashable {
        /// What can go wrong, by what it goes wrong with: of each list one thing at a time, of several lists together.
        let tracks: [[Disturbance.Kind]]
        /// Seconds without a disturbance at the start: RabbitMQ 3.10 loses quorum queues that are killed while young.
        let calm: Double
        /// Seconds between two disturbances of a track, and how long one lasts.
        let pause: ClosedRange<Double>
        let length: ClosedRange<Double>
        /// How many workers and nodes of the broker there are to be met. The first worker outlives the run.
        let workers: Int
        let nodes: Int
    }

    let seed: UInt64
    let seconds: Double
    let weather: Weather
    let tracks: [[Step]]

    init(seed: UInt64, seconds: Double, weather: Weather) {
        self.seed = seed
        self.seconds = seconds
        self.weather = weather
        var generator = SeededGenerator(seed: seed)
        tracks = weather.tracks.map { kinds in
            var steps: [Step] = []
            var deck: [Disturbance.Kind] = []
            var now = weather.calm
            while true {
                // Every kind once before one comes again.
                if deck.isEmpty { deck = kinds.shuffled(using: &generator) }
                guard let kind = deck.popLast() else { return steps }
                now += .random(in: weather.pause, using: &generator)
                let disturbance = Self.disturbance(kind, weather, &generator)
                guard now + disturbance.seconds < seconds else { return steps }
                steps.append(Step(at: now, disturbance: disturbance))
                now += disturbance.seconds
            }
        }
    }

    private static func disturbance(
        _ kind: Disturbance.Kind,
        _ weather: Weather,
        _ generator: inout SeededGenerator
    ) -> Disturbance {
        let length = Double.random(in: weather.length, using: &generator)
        let number = Int.random(in: 0..<1_000_000, using: &generator)
        let share = Double.random(in: 0.1...0.6, using: &generator)
        let victim =
            switch kind {
            case .workerKilled, .workerStopped: 1 + number % (weather.workers - 1)
            case .brokerKilled, .brokerRestarted, .memoryAlarm, .linkCut: number % weather.nodes
            default: number % weather.workers
            }
        return Disturbance(kind: kind, seconds: kind.isMomentary ? 0 : length, victim: victim, share: share)
    }

    /// In the order of time.
    var steps: [Step] { tracks.joined().sorted { $0.at < $1.at } }

    var description: String {
        (["chaos: seed \(seed), \(Int(seconds)) s"] + steps.map { "  \(rounded($0.at)) s: \($0.disturbance)" })
            .joined(separator: "\n")
    }
}

extension ChaosPlan.Weather {
    private static let workerKinds: [Disturbance.Kind] = [
        .workerKilled, .workerStopped, .workerPaused, .workerCutOff, .connectionsBroken, .clockStepped,
    ]
    private static let brokerKinds: [Disturbance.Kind] = [.brokerKilled, .brokerRestarted, .memoryAlarm]
    private static let apiKinds: [Disturbance.Kind] = [
        .apiDown, .apiFailing, .apiResetting, .apiHanging, .apiThrottling, .apiSlow, .simulatorPaused,
    ]
    private static let tokenKinds: [Disturbance.Kind] = [.identityDown, .tokensExpired, .diskFull]

    /// Everything that is cheap, shortly.
    static let mild = Self(
        tracks: [[.workerKilled, .workerStopped, .workerPaused, .workerCutOff, .connectionsBroken]]
            + [[.brokerKilled, .memoryAlarm], apiKinds, tokenKinds],
        calm: 4,
        pause: 0.5...1.5,
        length: 1...2,
        workers: 3,
        nodes: 1
    )

    /// All that can happen to a fleet on one broker.
    static let rough = Self(
        tracks: [workerKinds, brokerKinds, apiKinds, tokenKinds],
        calm: 10,
        pause: 6...24,
        length: 1...12,
        workers: 3,
        nodes: 1
    )

    /// On a cluster workers go to any of its nodes, not by a way that a test can cut.
    static let roughOnCluster = Self(
        tracks: [
            [.workerKilled, .workerStopped, .workerPaused, .clockStepped], brokerKinds + [.linkCut], apiKinds,
            tokenKinds,
        ],
        calm: 10,
        pause: 6...24,
        length: 1...12,
        workers: 3,
        nodes: 3
    )
}
