import NIOConcurrencyHelpers

/// The APIs that have a limit of their own.
enum LimitedAPI: String, Hashable, Sendable {
    case partnerCenter, graph

    /// nil for the token endpoint, which has none. Grants and revocations share one.
    init?(_ kind: RequestKind) {
        switch kind {
        case .grant, .revoke: self = .partnerCenter
        case .graph: self = .graph
        case .token: return nil
        }
    }
}

/// The limits of all applications. They can be changed while the simulator runs.
final class RateLimits: Sendable {
    struct Settings: Codable, Equatable, Sendable {
        var partnerCenter = RequestLimit.requests(50)
        var graph = RequestLimit.none
        var windowMs = 1000
        /// Seconds, as told to whom is refused.
        var retryAfter = 1

        func limit(of api: LimitedAPI) -> Int? {
            switch api {
            case .partnerCenter: partnerCenter.count
            case .graph: graph.count
            }
        }
    }

    private struct Key: Hashable {
        var api: LimitedAPI
        var application: String
    }

    private struct State {
        var settings: Settings
        var logs: [Key: SlidingWindowLog] = [:]
    }

    private let state: NIOLockedValueBox<State>

    init(settings: Settings = Settings()) {
        state = NIOLockedValueBox(State(settings: settings))
    }

    var settings: Settings { state.withLockedValue { $0.settings } }

    var retryAfter: Int { settings.retryAfter }

    func change(to settings: Settings) {
        state.withLockedValue { $0.settings = settings }
    }

    /// Whether the request may pass. One that names no application belongs to no limit.
    func admit(_ kind: RequestKind, application: String?, at time: MonotonicTime) -> Bool {
        guard let api = LimitedAPI(kind), let application else { return true }
        return state.withLockedValue { state in
            guard let limit = state.settings.limit(of: api) else { return true }
            return state.logs[Key(api: api, application: application), default: SlidingWindowLog()]
                .admit(at: time, limit: limit, windowMilliseconds: state.settings.windowMs)
        }
    }
}

extension RateLimits.Settings {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case partnerCenter, graph, windowMs, retryAfter
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        let usual = Self()
        partnerCenter = try values.decodeIfPresent(RequestLimit.self, forKey: .partnerCenter) ?? usual.partnerCenter
        graph = try values.decodeIfPresent(RequestLimit.self, forKey: .graph) ?? usual.graph
        windowMs = try values.decodeIfPresent(Int.self, forKey: .windowMs) ?? usual.windowMs
        retryAfter = try values.decodeIfPresent(Int.self, forKey: .retryAfter) ?? usual.retryAfter
        guard windowMs > 0, retryAfter >= 0 else {
            throw decoder.refuse("windowMs must be above 0 and retryAfter not below 0")
        }
    }
}
