import Foundation
import HTTP
import JSON

/// The simulator as a real process, and its control API.
final class SimulatorProcess: Sendable {
    let port: Int
    private let process: ChildProcess
    private let client = HTTPClient()

    init(folder: String, arguments: [String]) async throws {
        let portFile = "\(folder)/simulator.port"
        // Before the others, where that is allowed: an oracle that has to wait for a processor sees late.
        process = try ChildProcess(
            "/usr/bin/nice",
            ["-n", "-10", "\(Checkout.binaries)/partner-center-simulator", "--port-file", portFile] + arguments,
            logFile: "\(folder)/simulator.log"
        )
        let process = process
        port = try await eventually("the simulator listens") {
            guard process.isRunning else { throw TestFailure("the simulator did not start: \(process.log)") }
            let text = try? String(contentsOfFile: portFile, encoding: .utf8)
            return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }

    var pid: Int32 { process.pid }

    /// Stands still, and with it its record of what arrives, until ``resume()``.
    func suspend() { process.signal(SIGSTOP) }

    func resume() { process.signal(SIGCONT) }

    func stop() async {
        await process.stop()
        await client.shutdown()
    }

    // MARK: - Control

    @discardableResult
    func call(_ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        let response = try await client.send(
            HTTPRequest(
                method,
                "\(url)/_sim/\(path)",
                headers: [HTTPHeader("Content-Type", "application/json")],
                body: body?.bytes
            )
        )
        guard (200..<300).contains(response.status) else {
            throw TestFailure(
                "the simulator answered \(response.status): \(String(decoding: response.body, as: UTF8.self))"
            )
        }
        return response.body.isEmpty ? .null : try JSONParser.parse(response.body)
    }

    func inject(_ fault: JSONValue) async throws { try await call(.post, "faults", fault) }

    func clearFaults() async throws { try await call(.delete, "faults") }

    struct Arrival: Sendable {
        /// Counted from 1.
        let number: Int
        let atNanoseconds: Int
        let kind: String
        let application: String?
        let customer: String?
        let tenant: String?
        let requestID: String?
        let correlationID: String?
        let traceparent: String?
        let tracestate: String?
        let status: Int?
        /// False if the rate limit refused it.
        let admitted: Bool
        let repeated: Bool
        let effect: String?
    }

    /// What arrived for the application's commands, in order; token requests are left out.
    func arrivals(of application: String) async throws -> [Arrival] {
        try await arrivals { $0["application"]?.string == application && $0["kind"]?.string != "token" }
    }

    /// What arrived at the token endpoint, of all applications.
    func tokenArrivals() async throws -> [Arrival] { try await arrivals { $0["kind"]?.string == "token" } }

    private func arrivals(where isMeant: (JSONValue) -> Bool) async throws -> [Arrival] {
        Self.read(try await call(.get, "arrivals")["arrivals"]?.array?.filter(isMeant) ?? [])
    }

    /// All that arrived so far, of all applications and kinds, in portions that a long run needs.
    func allArrivals() async throws -> [Arrival] {
        var all: [Arrival] = []
        while true {
            let path = "arrivals?since=\(all.last?.number ?? 0)&limit=5000"
            let more = Self.read(try await call(.get, path)["arrivals"]?.array ?? [])
            if more.isEmpty { return all }
            all += more
        }
    }

    private static func read(_ arrivals: [JSONValue]) -> [Arrival] {
        arrivals.map {
            Arrival(
                number: $0["n"]?.int ?? 0,
                atNanoseconds: $0["atNs"]?.int ?? 0,
                kind: $0["kind"]?.string ?? "",
                application: $0["application"]?.string,
                customer: $0["customer"]?.string,
                tenant: $0["tenant"]?.string,
                requestID: $0["requestId"]?.string,
                correlationID: $0["correlationId"]?.string,
                traceparent: $0["traceparent"]?.string,
                tracestate: $0["tracestate"]?.string,
                status: $0["status"]?.int,
                admitted: $0["admitted"]?.bool ?? true,
                repeated: $0["repeat"]?.bool ?? false,
                effect: $0["effect"]?.string
            )
        }
    }

    func tokenRequests() async throws -> Int { try await tokenArrivals().count }

    /// The clock of the arrivals.
    func now() async throws -> Int { try await call(.get, "health")["nowNs"]?.int ?? 0 }

    /// Whether the application has consent in the customer.
    func isConsented(_ customer: String, _ application: String) async throws -> Bool {
        let state = try await call(.get, "state?customer=\(customer)&application=\(application)")
        return state["consents"]?.array?.first?["consented"]?.bool ?? false
    }

    /// The customers in which the application has consent.
    func consentedCustomers(_ application: String) async throws -> Set<String> {
        let state = try await call(.get, "state?application=\(application)")
        let consented = (state["consents"]?.array ?? []).filter { $0["consented"] == true }
        return Set(consented.compactMap { $0["customer"]?.string })
    }
}
