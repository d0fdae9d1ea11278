import ConsentContract
import Resilience

/// Which pods there are and what each owns, as far as this one has heard. Pure.
struct Membership: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// A pod that was not heard for this long is gone.
    static let silence = Duration.seconds(6)

    private struct Peer: Sendable {
        var heardAt: Instant
        var owns: Set<GUID> = []
    }

    private let pod: String
    /// Applications that have an owner at all.
    var applications: Set<GUID>
    private var peers: [String: Peer] = [:]
    /// In the order in which this pod got them.
    private(set) var owned: [GUID] = []

    init(pod: String, applications: Set<GUID> = []) {
        self.pod = pod
        self.applications = applications
    }

    mutating func heard(_ peer: String, at now: Instant) { peers[peer, default: Peer(heardAt: now)].heardAt = now }

    mutating func heard(_ peer: String, owns: [GUID], at now: Instant) {
        peers[peer] = Peer(heardAt: now, owns: Set(owns))
    }

    mutating func left(_ peer: String) { peers[peer] = nil }

    mutating func forgetSilent(at now: Instant) { peers = peers.filter { now - $0.value.heardAt < Self.silence } }

    mutating func own(_ application: GUID) { owned.append(application) }

    mutating func disown(_ application: GUID) { owned.removeAll { $0 == application } }

    /// Who is there and owns what, in order of names, this one included.
    var roster: [(pod: String, owns: [GUID])] {
        (peers.map { ($0.key, $0.value.owns.sorted { $0.description < $1.description }) } + [(pod, owned)])
            .sorted { $0.0 < $1.0 }
    }

    /// This one included.
    var pods: Int { peers.count + 1 }

    /// The one that does what one pod does for all.
    var isFirst: Bool { peers.keys.allSatisfy { pod < $0 } }

    func isOwnedElsewhere(_ application: GUID) -> Bool { peers.values.contains { $0.owns.contains(application) } }

    /// Applications divided by pods, rounded up.
    var share: Int { (applications.count + pods - 1) / pods }

    /// An application to hand over because this pod has more than its share while another has less.
    var excess: GUID? {
        guard owned.count > share, peers.values.contains(where: { $0.owns.count < share }) else { return nil }
        return owned.last
    }

    /// Whether a token should go on to the next pod: this one has its share, another owns less than this one.
    var isFull: Bool { owned.count >= share && peers.values.contains { $0.owns.count < owned.count } }
}
