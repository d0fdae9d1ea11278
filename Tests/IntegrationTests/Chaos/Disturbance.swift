/// One thing that is done to a fleet at work, or to what it depends on.
struct Disturbance: Sendable, Hashable, CustomStringConvertible {
    enum Kind: String, Sendable, CaseIterable {
        case workerKilled = "worker killed"
        case workerStopped = "worker stopped"
        case workerPaused = "worker paused"
        case workerCutOff = "worker cut off from the broker"
        case connectionsBroken = "worker's connections broken"
        case clockStepped = "worker's wall clock stepped"
        case brokerKilled = "broker killed"
        case brokerRestarted = "broker restarted"
        case memoryAlarm = "broker's memory alarm"
        case linkCut = "link between brokers cut"
        case apiDown = "API down"
        case apiFailing = "API failing"
        case apiResetting = "API resetting connections"
        case apiHanging = "API hanging"
        case apiThrottling = "API throttling"
        case apiSlow = "API slow"
        case simulatorPaused = "API host standing still"
        case identityDown = "token endpoint down"
        case tokensExpired = "access tokens expired"
        case diskFull = "disk of the refresh tokens full"
    }

    let kind: Kind
    /// How long it lasts; what is ended stays away for as long.
    let seconds: Double
    /// Which worker or node of the broker, by its number.
    let victim: Int
    /// How much of the requests it meets, and how much of what it can do it does.
    let share: Double

    /// Milliseconds that each request takes longer.
    var latency: Int { 100 + Int(share * 1400) }

    /// Seconds by which a clock goes wrong, in either direction.
    var step: Int { Int((share - 0.5) * 14_400) }

    var description: String {
        let what =
            switch kind {
            case .clockStepped: "\(kind.rawValue) by \(step) s (\(victim))"
            case .apiFailing, .apiResetting, .apiHanging, .apiThrottling:
                "\(kind.rawValue), \(Int(share * 100)) % of the requests"
            case .apiSlow: "\(kind.rawValue), by \(latency) ms"
            case .workerKilled, .workerStopped, .workerPaused, .workerCutOff, .connectionsBroken, .brokerKilled,
                .brokerRestarted, .memoryAlarm, .linkCut:
                "\(kind.rawValue) (\(victim))"
            default: kind.rawValue
            }
        return kind.isMomentary ? what : "\(what), for \(rounded(seconds)) s"
    }
}

extension Disturbance.Kind {
    /// Over as soon as it is done.
    var isMomentary: Bool {
        switch self {
        case .connectionsBroken, .clockStepped, .tokensExpired: true
        default: false
        }
    }
}
