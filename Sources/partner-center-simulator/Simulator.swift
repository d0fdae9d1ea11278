import HTTPTypes
import HummingbirdCore
import NIOCore

/// All simulated APIs and the control API, behind one listener.
struct Simulator: Sendable {
    private let gateway: Gateway
    private let tokenRoute: TokenRoute
    private let consentRoute: ConsentRoute
    private let graphRoute: GraphRoute
    private let control: ControlRoute
    private let scheme: String

    private static let maxBodySize = 4 * 1024 * 1024

    init(plan: SimulationPlan, settings: SimulatorSettings, scheme: String, stalls: StallDetector) {
        self.scheme = scheme
        let directory = TenantDirectory(plan: plan)
        let tokens = TokenStore()
        let consents = ConsentStore(presets: plan.consents)
        let graph = GraphStore(settings: plan.graph)
        let arrivals = ArrivalLog()
        let limits = RateLimits(settings: settings.limits)
        let faults = FaultInjector(plan.faults, seed: plan.seed)
        gateway = Gateway(
            arrivals: arrivals,
            limits: limits,
            faults: faults,
            tokens: tokens,
            latencyMs: settings.latencyMs
        )
        tokenRoute = TokenRoute(settings: settings.tokens, directory: directory, tokens: tokens, consents: consents)
        consentRoute = ConsentRoute(directory: directory, tokens: tokens, consents: consents)
        graphRoute = GraphRoute(tokens: tokens, graph: graph)
        control = ControlRoute(
            arrivals: arrivals,
            limits: limits,
            faults: faults,
            tokens: tokens,
            consents: consents,
            graph: graph,
            stalls: stalls
        )
    }

    /// Answers one request of a connection.
    func respond(to request: Request, writer: consuming ResponseWriter, channel: any Channel) async throws {
        let answer = try await answer(request)
        try await AnswerWriter(method: request.method, connection: ClientConnection(channel)).send(answer, to: writer)
    }

    private func answer(_ request: Request) async throws -> Answer {
        let path = request.uri.path
        guard let destination = Destination(method: request.method, path: path) else {
            return .json(404, ["error": "The simulator has no such route."] as JSON)
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: Self.maxBodySize)
        } catch is NIOTooManyBytesError {
            return .json(413, ["error": "The body is too large."] as JSON)
        }
        let query = FormFields(request.uri.query ?? "")
        if case .control(let rest) = destination {
            return control.respond(to: .init(method: request.method, path: rest, query: query, body: body))
        }
        guard let kind = destination.kind else { return Answer(status: 404) }
        let call = APICall(
            kind: kind,
            method: request.method,
            path: path,
            segments: destination.segments,
            query: query,
            headers: request.headers,
            scheme: scheme,
            authority: request.head.authority ?? "",
            body: body,
            arrivedAt: request.headers[.arrivalStamp].flatMap { Int($0) }.map(MonotonicTime.init) ?? .now()
        )
        switch kind {
        case .token: return try await gateway.respond(to: call, through: tokenRoute)
        case .grant, .revoke: return try await gateway.respond(to: call, through: consentRoute)
        case .graph: return try await gateway.respond(to: call, through: graphRoute)
        }
    }
}
