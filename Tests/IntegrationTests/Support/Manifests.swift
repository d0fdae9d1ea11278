import Foundation
import JSON

/// What an overlay of `deploy/kubernetes` says.
enum Manifests {
    struct Rollout {
        let replicas: Int
        /// From SIGTERM to SIGKILL.
        let gracePeriod: Duration
        let shutdownGrace: String
    }

    static func rollout(_ overlay: String) async throws -> Rollout {
        let facts = try await read(["facts", overlay])
        guard let replicas = facts["replicas"]?.int, let seconds = facts["terminationGracePeriodSeconds"]?.int,
            let grace = facts["shutdownGrace"]?.string
        else { throw TestFailure("no facts: \(facts.text)") }
        return Rollout(replicas: replicas, gracePeriod: .seconds(seconds), shutdownGrace: grace)
    }

    /// Lays out what the worker's container has in a folder.
    /// - Returns: the path of its configuration, and its environment.
    static func write(_ overlay: String, to folder: String) async throws -> (
        configuration: String, environment: [String: String]
    ) {
        let written = try await read(["write", overlay, folder])
        let environment = (written["environment"]?.object?.members ?? []).compactMap { member in
            member.value.string.map { (member.name, $0) }
        }
        return (written["configuration"]?.string ?? "", Dictionary(uniqueKeysWithValues: environment))
    }

    private static func read(_ arguments: [String]) async throws -> JSONValue {
        let result = try await ChildProcess.run(
            "/usr/bin/python3",
            ["\(Checkout.root)/Tests/Deploy/manifests.py"] + arguments,
            environment: ["PYTHONDONTWRITEBYTECODE": "1"]
        )
        guard result.status == 0 else { throw TestFailure("manifests.py \(arguments): \(result.errors)") }
        return try JSONParser.parse(Array(result.output.utf8.dropLast()))
    }
}
